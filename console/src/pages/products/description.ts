/** A product's description: the little HTML that the API takes, and nothing else of what a browser
 * or a clipboard makes of it. The API cleans it again; what it stores is what is shown.
 */
import { config } from '@/config'

const KEPT = new Set(['P', 'BR', 'B', 'STRONG', 'I', 'EM', 'UL', 'OL', 'LI', 'H3'])
const BLOCKS = new Set(['P', 'UL', 'OL', 'H3', 'IMG'])
const DROPPED = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'IFRAME', 'OBJECT', 'SVG', 'MATH', 'TITLE', 'TEXTAREA'])

/** The nodes that may stand in a description; made anew, so no attribute comes along. */
export function cleanNodes(html: string): Node[] {
  const parsed = new DOMParser().parseFromString(html, 'text/html') // inert: nothing in it runs or loads
  return paragraphed(inside(parsed.body))
}

export function cleaned(html: string): string {
  const place = document.implementation.createHTMLDocument('').body
  place.append(...cleanNodes(html))
  const isEmpty = !place.textContent?.trim() && !place.querySelector('img')
  return isEmpty ? '' : place.innerHTML
}

const inside = (node: Node): Node[] => [...node.childNodes].flatMap(clean)

function clean(node: Node): Node[] {
  if (node.nodeType === Node.TEXT_NODE) return [document.createTextNode(node.textContent ?? '')]
  if (!(node instanceof Element) || DROPPED.has(node.tagName.toUpperCase())) return []
  if (node.tagName === 'IMG') return picture(node.getAttribute('src') ?? '')
  if (!KEPT.has(node.tagName)) return node.tagName === 'DIV' ? [filled('P', inside(node))] : inside(node)
  return [filled(node.tagName, inside(node))]
}

function picture(src: string): Node[] {
  if (!config.media || !src.startsWith(config.media)) return []
  const image = document.createElement('img')
  image.setAttribute('src', src)
  return [image]
}

function filled(tag: string, nodes: Node[]): Node {
  const element = document.createElement(tag)
  element.append(...nodes)
  return element
}

/** Text that stands in no block becomes a paragraph of its own. */
function paragraphed(nodes: Node[]): Node[] {
  const blocks: Node[] = []
  let open: Node | null = null
  for (const node of nodes) {
    if (node instanceof Element && BLOCKS.has(node.tagName)) {
      blocks.push(node)
      open = null
    } else if (open) open.appendChild(node)
    else if (node.textContent?.trim() || node.nodeName === 'BR') blocks.push((open = filled('P', [node])))
  }
  return blocks
}
