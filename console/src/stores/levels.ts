/** What the shop's settings say of its members, for pages that name their levels; nothing for who may not read them, or before they are read. */
import { onMounted, shallowRef, type ShallowRef } from 'vue'
import { readSettings } from '@/api/shop'
import { t } from '@/words'
import { may } from './session'

export interface Level {
  no: number
  name: string
}

/** levels: empty: the shop has none now, as far as it is known. hasPoints: whether it is known to have points. */
export function useMembership(): { levels: ShallowRef<Level[]>; hasPoints: ShallowRef<boolean> } {
  const levels = shallowRef<Level[]>([])
  const hasPoints = shallowRef(false)
  onMounted(async () => {
    if (!may('settings:view')) return
    const settings = await readSettings().catch(() => null)
    if (settings?.levels.on) levels.value = settings.levels.levels.map(({ name }, n) => ({ no: n + 1, name }))
    hasPoints.value = Boolean(settings?.points.on)
  })
  return { levels, hasPoints }
}

export const useLevels = (): ShallowRef<Level[]> => useMembership().levels

/** A level by its number, also where its name is not known. */
export const levelName = (levels: readonly Level[], no: number): string =>
  levels.find((it) => it.no === no)?.name ?? t('levels.n', { n: no })

/** What there is to choose, with what was chosen before. */
export function levelOptions(levels: readonly Level[], chosen: number): Level[] {
  const isListed = chosen === 0 || levels.some(({ no }) => no === chosen)
  return isListed ? [...levels] : [...levels, { no: chosen, name: levelName(levels, chosen) }]
}
