/** What the people of the shop are called: the API signs what they did with their usernames. */
import { shallowRef } from 'vue'
import { listColleagues } from '@/api/me'
import { t } from '@/words'
import { session } from './session'

const SYSTEM = 'system'

type Names = ReadonlyMap<string, string>
const NONE: Names = new Map()
const known = shallowRef({ shop: '', names: NONE })
let asked = '' // the shop whose names were asked for

/** Username and name of everybody, asked for once; a name that is not known yet comes by itself. */
export function colleagues(): Names {
  const shop = session.value?.merchant_id ?? ''
  if (asked !== shop) void readNames().catch(() => (asked = '')) // until then usernames are told
  return known.value.shop === shop ? known.value.names : NONE
}

async function readNames(): Promise<void> {
  const shop = (asked = session.value?.merchant_id ?? '')
  if (shop) keepNames((await listColleagues()).items, shop)
}

/** Take over what the list of staff has just told: somebody may have been added or renamed. */
export function keepNames(people: { username: string; name: string }[], shop = session.value?.merchant_id ?? ''): void {
  known.value = { shop, names: new Map(people.map((it) => [it.username, it.name])) }
}

export const nameOf = (username: string) => (username === SYSTEM ? t('audit.system') : (colleagues().get(username) ?? username))
