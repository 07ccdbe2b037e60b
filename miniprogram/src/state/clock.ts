/** The server's clock, whatever the phone's says: its time in the last answer, and how long ago that was. */
import { ref } from 'vue'

// Where there is one, a clock that does not jump when somebody sets the phone's.
const elapsedMs = (): number => (typeof performance === 'object' ? performance.now() : Date.now())
const answered = { server_s: Math.floor(Date.now() / 1000), at_ms: elapsedMs() }

/** The server's time, renewed every second while the app is visible. */
export const now = ref(serverNow())

export function serverNow(): number {
  return answered.server_s + Math.floor((elapsedMs() - answered.at_ms) / 1000)
}

/** Take over the time that an answer carries. */
export function heard(now_s: number): void {
  answered.server_s = now_s
  answered.at_ms = elapsedMs()
  now.value = now_s
}

let timer: ReturnType<typeof setInterval> | undefined

export function startClock(): void {
  stopClock()
  now.value = serverNow()
  timer = setInterval(() => (now.value = serverNow()), 1000)
}

export function stopClock(): void {
  if (timer) clearInterval(timer)
  timer = undefined
}
