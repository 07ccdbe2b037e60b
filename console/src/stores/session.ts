/** Who is logged in. Kept in localStorage, so that a second tab needs no second login. */
import { computed, ref, shallowRef } from 'vue'
import type { Schema } from '@/api/types'

export type Role = Schema<'Role'>
export type Area = Schema<'Area'>
export type Level = Schema<'Level'>
export type Rights = Schema<'Me'>['rights']
/** A level in an area: to act includes to view. */
export type Right = `${Area}:${Exclude<Level, 'none'>}`

export interface Session {
  token: string
  merchant_id: string
  username: string
  name: string
  role: Role
  /** Missing in what an older console kept: asked for before the first page is opened. */
  rights?: Rights
  began_at_s: number
  expires_at_s: number
}

const KEPT_AS = 'tuan.session'
const SHOP_KEPT_AS = 'tuan.shop'

export const session = shallowRef<Session | null>(read())
/** True once an answer said that a right is missing which was thought to be there. */
export const isStale = ref(false)

/** Whether they may do that now; it follows what the owner changes. */
export const allowed = (right: Right) => computed(() => may(right))

export function may(right: Right): boolean {
  const [area, level] = right.split(':')
  const given = session.value?.rights?.[area as Area] ?? 'none'
  return given === 'act' || given === level
}

export function begin(made: Omit<Session, 'began_at_s'>): void {
  const { token, merchant_id, username, name, role, rights, expires_at_s } = made
  session.value = { token, merchant_id, username, name, role, rights, expires_at_s, began_at_s: Math.floor(Date.now() / 1000) }
  localStorage.setItem(KEPT_AS, JSON.stringify(session.value))
  localStorage.setItem(SHOP_KEPT_AS, made.merchant_id)
}

/** What the owner has decided of them since the session began. */
export function update(person: Pick<Session, 'name' | 'role' | 'rights'>): void {
  const { name, role, rights } = person
  isStale.value = false
  if (!session.value || JSON.stringify([session.value.name, session.value.role, session.value.rights]) === JSON.stringify([name, role, rights])) return
  session.value = { ...session.value, name, role, rights }
  localStorage.setItem(KEPT_AS, JSON.stringify(session.value))
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
