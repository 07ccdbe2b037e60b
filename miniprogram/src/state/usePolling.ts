/** Read again and again while the page is visible, as often as the server says. */
import { onHide, onShow, onUnload } from '@dcloudio/uni-app'

const BACK_OFF_S = [5, 10, 15]

/** read: answers in how many seconds to read again; 0: never. When it throws, pauses grow. */
export function usePolling(read: () => Promise<number>) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isVisible = false
  let failures = 0
  let turn = 0

  function stop(): void {
    if (timer) clearTimeout(timer)
    timer = undefined
    turn += 1
  }

  async function poll(): Promise<void> {
    stop()
    const mine = turn
    const next_s = await read().then(
      (seconds) => {
        failures = 0
        return seconds
      },
      () => BACK_OFF_S[Math.min(failures++, BACK_OFF_S.length - 1)] ?? 0,
    )
    if (mine === turn && isVisible && next_s > 0) timer = setTimeout(poll, next_s * 1000)
  }

  onShow(() => {
    isVisible = true
    void poll()
  })
  onHide(() => {
    isVisible = false
    stop()
  })
  onUnload(() => {
    isVisible = false
    stop()
  })

  return { poll }
}
