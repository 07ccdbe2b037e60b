/** What the phone keeps between visits; a phone that keeps nothing is a phone that asks again. */
import { platform } from '@/platform'

const PREFIX = `tuan.${platform.phone}`
const ANSWERS_MAX = 30 // of earlier visits

export function kept<T>(name: string): T | null {
  try {
    const found: unknown = uni.getStorageSync(PREFIX + name)
    return found === '' || found === undefined ? null : (found as T)
  } catch {
    return null
  }
}

export function keep(name: string, value: unknown): void {
  try {
    if (value === null) uni.removeStorageSync(PREFIX + name)
    else uni.setStorageSync(PREFIX + name, value)
  } catch {
    // Full, or forbidden as in private windows: nothing depends on it.
  }
}

/** The answer of an earlier visit, if a page of this build kept it. */
export function keptAnswer<T>(name: string): T | null {
  const found = kept<{ build: string; answer: T }>(`last.${name}`)
  return found?.build === import.meta.env.VITE_BUILD ? found.answer : null
}

/** answer: null to forget it. Of all pages the last ANSWERS_MAX that were read are kept. */
export function keepAnswer(name: string, answer: unknown): void {
  const known = kept<string[]>('last') ?? []
  const others = known.filter((it) => it !== name)
  const names = answer === null ? others : [name, ...others].slice(0, ANSWERS_MAX)
  keep('last', names)
  keep(`last.${name}`, answer === null ? null : { build: import.meta.env.VITE_BUILD, answer })
  if (!known.includes(name)) forgetAnswers(names)
}

/** Forget what earlier visits kept, but for these. */
function forgetAnswers(names: readonly string[]): void {
  for (const name of ownKeys()) {
    if (name.startsWith('last.') && !names.includes(name.slice('last.'.length))) keep(name, null)
  }
}

/** What is kept, by its names; of a phone that tells nothing, nothing. */
function ownKeys(): string[] {
  try {
    const { keys } = uni.getStorageInfoSync()
    return keys.filter((it) => it.startsWith(PREFIX)).map((it) => it.slice(PREFIX.length))
  } catch {
    return []
  }
}

/** Forget what the phone knows of a buyer; how the shop looks on it stays. */
export function forgetBuyer(): void {
  for (const name of ownKeys()) {
    if (/^(last|chosen|sent|draft|recipient|asked|searches)\b/.test(name)) keep(name, null)
  }
}

/** An id that no other request of this buyer has; it protects nothing, so it need not be secret. */
export function randomId(length = 32): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from({ length }, () => letters[Math.floor(Math.random() * letters.length)]).join('')
}

/** An id that nobody guesses; for browsers, which have what it takes. */
export function secretId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
