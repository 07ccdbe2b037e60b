/** Small words over the page. */

/** Ask before something that cannot be taken back; true when the buyer wants it. */
export async function ask(content: string, confirmText: string, cancelText: string): Promise<boolean> {
  const { confirm } = await uni.showModal({ content, confirmText: confirmText.slice(0, 4), cancelText: cancelText.slice(0, 4) })
  return confirm
}

export const say = (title: string): void => void uni.showToast({ title, icon: 'none', duration: 2500 })
