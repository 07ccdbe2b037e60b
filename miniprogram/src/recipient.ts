/** Who gets the goods, as the form asks for it; what is missing is said for every field at once. */
import { accountWords } from '@/words-account'

export interface Recipient {
  name: string
  phone: string
  province: string
  city: string
  district: string
  street: string
}

export const NOBODY: Recipient = { name: '', phone: '', province: '', city: '', district: '', street: '' }

const PHONE = /^(?:\+?86)?1\d{10}$|^0\d{9,11}$|^\+?85[23]\d{8}$|^\+?886\d{8,10}$/

export type Problems = Partial<Record<keyof Recipient | 'store', string>>

/** pickup: only who collects is asked for. The server decides in the end; this saves it the obvious. */
export function problemsOf(it: Recipient, pickup: boolean, store_id: string): Problems {
  const found: Problems = {}
  if (!it.name.trim()) found.name = accountWords.checkout.needName
  if (!PHONE.test(it.phone.replace(/[\s-]/g, ''))) found.phone = accountWords.checkout.needPhone
  if (pickup) {
    if (!store_id) found.store = accountWords.checkout.chooseStore
    return found
  }
  if (!it.province.trim()) found.province = accountWords.checkout.needProvince
  if (!it.city.trim()) found.city = accountWords.checkout.needCity
  if (!it.street.trim()) found.street = accountWords.checkout.needStreet
  return found
}
