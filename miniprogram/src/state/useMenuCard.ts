/** What the menu of the browser shares while a page is shown, and after it until another page says so. */
import { onShow } from '@dcloudio/uni-app'
import { watch } from 'vue'
import { platform, type MenuCard } from '@/platform'

/** card: null before there is anything to say. */
export function useMenuCard(card: () => MenuCard | null): void {
  const { offerCard } = platform
  if (!offerCard) return
  const say = () => {
    const it = card()
    if (it) offerCard(it)
  }
  watch(() => JSON.stringify(card()), say)
  onShow(say)
}
