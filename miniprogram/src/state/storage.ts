/** What the phone keeps between visits; a phone that keeps nothing is a phone that asks again. */
import { platform } from '@/platform'

const PREFIX = `tuan.${platform.phone}`

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

export function keepAnswer(name: string, answer: unknown): void {
  keep(`last.${name}`, { build: import.meta.env.VITE_BUILD, answer })
}

/** Forget what the phone knows of a buyer; how the shop looks on it stays. */
export function forgetBuyer(): void {
  const { keys } = uni.getStorageInfoSync()
  for (const key of keys.filter((it) => it.startsWith(PREFIX))) {
    if (/^(last|chosen|sent|draft|recipient|asked|searches)\b/.test(key.slice(PREFIX.length))) uni.removeStorageSync(key)
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
