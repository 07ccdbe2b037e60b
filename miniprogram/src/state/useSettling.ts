/** Read again soon what is about to change by itself, as long as the page is shown. */
import { onHide, onUnload } from '@dcloudio/uni-app'

const AGAIN_MS = 3000

export function useSettling(load: () => Promise<void>) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = () => clearTimeout(timer)

  /** Call after every load. again_ms: sooner is asked too often of what others may change at any time. */
  function watch(isSettling: boolean, again_ms = AGAIN_MS): void {
    stop()
    if (isSettling) timer = setTimeout(load, again_ms)
  }

  onHide(stop)
  onUnload(stop)
  return watch
}
