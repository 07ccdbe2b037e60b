/** Small words over the page. */
import { brand } from '@/state/look'

/** Ask before something that cannot be taken back; true when the buyer wants it. */
export async function ask(content: string, confirmText: string, cancelText: string, title = ''): Promise<boolean> {
  const { confirm } = await uni.showModal({
    title,
    content,
    confirmText: confirmText.slice(0, 4),
    cancelText: cancelText.slice(0, 4),
    confirmColor: brand.value,
  })
  return confirm
}

export const say = (title: string): void => void uni.showToast({ title, icon: 'none', duration: 2500 })
