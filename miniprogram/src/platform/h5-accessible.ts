/** uni-app draws elements of its own around pictures, inputs and buttons. This lets people who do
 * not see them or do not touch them use them all the same: names stand where screen readers look
 * for them, and what can be tapped can be reached and pressed by keys. */
const TAPPED = 'uni-button, [role=button], [role=link], [role=tab], [role=radio], [role=checkbox]'

function nameInside(): void {
  for (const inside of document.querySelectorAll('uni-image img, uni-input input, uni-textarea textarea')) {
    const drawn = inside.closest('uni-image, uni-input, uni-textarea')
    const label = drawn?.getAttribute('aria-label') ?? ''
    if (inside.tagName === 'IMG') inside.setAttribute('alt', label)
    else if (label) inside.setAttribute('aria-label', label)
    drawn?.removeAttribute('aria-label')
    drawn?.removeAttribute('role')
  }
  // The bar of tabs says its words beside its pictures.
  for (const picture of document.querySelectorAll('img:not([alt])')) picture.setAttribute('alt', '')
}

function letKeysReach(): void {
  for (const tapped of document.querySelectorAll(TAPPED)) {
    if (!tapped.hasAttribute('tabindex')) tapped.setAttribute('tabindex', '0')
    if (!tapped.hasAttribute('role')) tapped.setAttribute('role', 'button')
  }
}

function press(event: KeyboardEvent): void {
  const at = event.target
  if ((event.key !== 'Enter' && event.key !== ' ') || !(at instanceof HTMLElement) || !at.matches(TAPPED)) return
  event.preventDefault()
  at.click()
}

/** Do so now and whenever something is drawn. */
export function keepAccessible(): void {
  let isPlanned = false
  const watch = new MutationObserver(() => {
    if (isPlanned) return
    isPlanned = true
    requestAnimationFrame(() => {
      isPlanned = false
      nameInside()
      letKeysReach()
    })
  })
  watch.observe(document, { childList: true, subtree: true })
  document.addEventListener('keydown', press)
}
