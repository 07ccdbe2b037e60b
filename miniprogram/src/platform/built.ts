/** The configuration of mini-programs: built in, because they have no file to fetch. */
import type { Config } from '@/config'

const { VITE_API, VITE_MERCHANT, VITE_COLOUR } = import.meta.env

export const builtConfig = (): Config => ({
  api: VITE_API ?? '',
  merchant_id: VITE_MERCHANT ?? '',
  ...(VITE_COLOUR ? { colour: VITE_COLOUR } : {}),
})
