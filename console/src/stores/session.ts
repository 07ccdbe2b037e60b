/** Who is logged in. Kept in localStorage, so that a second tab needs no second login. */
import { computed, ref, shallowRef } from 'vue'
import type { Schema } from '@/api/types'

export type Role = Schema<'Role'>

export interface Session {
  token: string
  merchant_id: string
  username: string
  name: string
  role: Role
  began_at_s: number
  expires_at_s: number
}

const KEPT_AS = 'tuan.session'
const SHOP_KEPT_AS = 'tuan.shop'

export const session = shallowRef<Session | null>(read())
export const canManage = computed(() => session.value?.role === 'owner' || session.value?.role === 'manager')
export const canShip = computed(() => canManage.value || session.value?.role === 'fulfilment')
export const isOwner = computed(() => session.value?.role === 'owner')

export function begin(made: Omit<Session, 'began_at_s'>): void {
  const { token, merchant_id, username, name, role, expires_at_s } = made
  session.value = { token, merchant_id, username, name, role, expires_at_s, began_at_s: Math.floor(Date.now() / 1000) }
  localStorage.setItem(KEPT_AS, JSON.stringify(session.value))
  localStorage.setItem(SHOP_KEPT_AS, made.merchant_id)
}

/** Half of its life is over: time for another one, so that nobody's work is cut short. */
export const isHalfOver = (now_s: number) =>
  session.value !== null && now_s > (session.value.began_at_s + session.value.expires_at_s) / 2

export function end(): void {
  session.value = null
  localStorage.removeItem(KEPT_AS)
}

/** The shop that somebody last logged in to here. */
export const rememberedShop = () => localStorage.getItem(SHOP_KEPT_AS) ?? ''

/** True while somebody whose session ended is asked for the password, over the page they are on. */
export const isAskedAgain = ref(false)
let asked: Promise<boolean> | null = null
let answer: (loggedIn: boolean) => void = () => {}

/** Ask for the password again; every call that waits goes on, or gives up, with the answer. */
export function logInAgain(): Promise<boolean> {
  asked ??= new Promise((resolve) => {
    answer = resolve
    isAskedAgain.value = true
  })
  return asked
}

export function answerAgain(loggedIn: boolean): void {
  isAskedAgain.value = false
  asked = null
  answer(loggedIn)
}

function read(): Session | null {
  const kept = JSON.parse(localStorage.getItem(KEPT_AS) ?? 'null') as Session | null
  return kept && kept.expires_at_s * 1000 > Date.now() ? kept : null
}

// Logging out, or in, in one tab counts for all of them.
window.addEventListener('storage', ({ key }) => {
  if (key === KEPT_AS) session.value = read()
})
