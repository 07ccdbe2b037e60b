/** The card that shares a group: its words, its picture, and the invitation by which it credits who sends it. */
import { computed, ref } from 'vue'
import type { GroupPage } from '@/api/shop'
import { share } from '@/api/trade'
import { lowest, shortYuan } from '@/format'
import { platform } from '@/platform'
import { isAssured, lackingOf } from '@/progress'
import { urlOf } from '@/routes'
import { lowestWith, nextOf } from '@/tiers'
import { words } from '@/words'
import { useMenuCard } from './useMenuCard'

/** came: the invitation by which the buyer came, passed on by who has none of their own. */
export function useGroupCard(group_id: () => string, page: () => GroupPage | null, came: () => string = () => '') {
  const own = ref('')
  const title = computed(() => {
    const it = page()
    if (!it) return words.shop
    const { fen, varies } = lowest(it.skus.map((sku) => sku.group_price_fen))
    return words.group.card(wantedBy(it), fen, varies, it.progress.title, it.solo_price_fen, lowestWith(fen, it.crowd?.tiers ?? it.tiers))
  })

  /** A card is made at once when its button is tapped: its invitation has to be there before. */
  async function prepare(): Promise<void> {
    if (!(platform.sharesByCard || platform.offerCard) || own.value) return
    own.value = (await share(group_id(), 'friend').catch(() => null))?.share_id ?? ''
  }

  const shown = () => ({ title: title.value, imageUrl: page()?.progress.image ?? '' })
  useMenuCard(() => (page() ? { title: title.value, image: shown().imageUrl, at: ['g', group_id(), own.value || came()] } : null))
  const path = () => urlOf('group', { g: group_id(), s: own.value || came() })
  return {
    prepare,
    card: () => ({ ...shown(), path: path() }),
    timeline: () => ({ ...shown(), query: path().split('?')[1] ?? '' }),
  }
}

function wantedBy({ progress, tiers }: GroupPage): string {
  if (progress.status !== 'open') return ''
  const next = isAssured(progress) ? nextOf(progress.seats_paid, tiers) : null
  if (next) return words.tiers.wanted(next.people, shortYuan(next.off_fen), next.further)
  return isAssured(progress) ? words.group.wantedMore(progress.seats_missing) : words.group.wanted(lackingOf(progress))
}
