/** Read again soon what is about to change by itself, as long as the page is shown. */
import { onHide, onUnload } from '@dcloudio/uni-app'

const AGAIN_MS = 3000

export function useSettling(load: () => Promise<void>) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = () => clearTimeout(timer)

  /** Call after every load. */
  function watch(isSettling: boolean): void {
    stop()
    if (isSettling) timer = setTimeout(load, AGAIN_MS)
  }

  onHide(stop)
  onUnload(stop)
  return watch
}
