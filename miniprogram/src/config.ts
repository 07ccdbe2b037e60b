/** Where the API is and whose shop this is. */
import { platform } from '@/platform'

export interface Config {
  api: string
  merchant_id: string
  /** The shop's colour, as #rrggbb. */
  colour?: string
}

let known: Promise<Config> | undefined

export function config(): Promise<Config> {
  known ??= platform.config().then((given) => ({ ...given, api: given.api.replace(/\/+$/, '') }))
  known.catch(() => (known = undefined)) // asked again at the next call
  return known
}
