/** Who is logged in; state/login.ts says how one gets there. */
import { ref } from 'vue'
import type { Schema } from '@contract'
import { keep, kept } from './storage'

export type Session = Schema<'BuyerSession'>

const NAME = 'session'
export const session = ref<Session | null>(kept<Session>(NAME))

export function logInWith(given: Session): void {
  session.value = given
  keep(NAME, given)
}

export function logOut(): void {
  session.value = null
  keep(NAME, null)
}

type Renewal = () => Promise<boolean>
let renewal: Renewal = async () => false
let renewing: Promise<boolean> | undefined

/** How a session that the server refused is replaced; set once, when the app starts. */
export function renewBy(given: Renewal): void {
  renewal = given
}

/** Replace a session that was refused, once for all calls that were refused with it. True: done. */
export function renewSession(refused: string): Promise<boolean> {
  if (session.value && session.value.token !== refused) return Promise.resolve(true)
  logOut()
  renewing ??= renewal().finally(() => (renewing = undefined))
  return renewing
}
