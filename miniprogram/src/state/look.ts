/** How the shop looks on this phone: its colour, and how large its texts are. */
import { computed, ref } from 'vue'
import { config } from '@/config'
import { platform } from '@/platform'
import { keep, kept } from './storage'

const LARGE = 1.25
const USUAL = '#d42a20' // as in tokens.css
const COLOUR = /^#[0-9a-f]{6}$/i
const WHITE = 255
const NIGHT = 0x1e // of a card by night, as in tokens.css

/** Whether the buyer chose large type; what the phone itself is set to counts as well. */
export const isLarge = ref(kept<boolean>('large') === true)
const colour = ref('')
/** The shop's colour, for what the platform draws. */
export const brand = computed(() => colour.value || USUAL)

export async function loadLook(): Promise<void> {
  const given = (await config().catch(() => null))?.colour ?? ''
  colour.value = COLOUR.test(given) ? given : ''
}

export function setLarge(large: boolean): void {
  isLarge.value = large
  keep('large', large)
}

/** Custom properties for the root of a page. */
export const look = computed(() => {
  const type = Math.min(1.5, Math.max(platform.textScale(), isLarge.value ? LARGE : 1))
  const shop = {
    '--brand': colour.value,
    '--brand-lit': mixed(colour.value, WHITE, 0.5), // legible on a dark page
    '--soft-day': mixed(colour.value, WHITE, 0.92),
    '--soft-night': mixed(colour.value, NIGHT, 0.85),
  }
  const given = colour.value ? Object.entries(shop).map(([name, value]) => `;${name}:${value}`) : []
  return `--type:${type}${given.join('')}`
})

/** The colour with so much (0 to 1) of a grey in it. */
function mixed(hex: string, grey: number, much: number): string {
  const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) * (1 - much) + grey * much)
  return `#${parts.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`
}
