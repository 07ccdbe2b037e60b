/** The shop's levels of members, for pages that name them; none for who may not read them, or before they are read. */
import { onMounted, shallowRef, type ShallowRef } from 'vue'
import { readSettings } from '@/api/shop'
import { t } from '@/words'
import { may } from './session'

export interface Level {
  no: number
  name: string
}

/** Empty: the shop has none now, as far as it is known. */
export function useLevels(): ShallowRef<Level[]> {
  const levels = shallowRef<Level[]>([])
  onMounted(async () => {
    if (!may('settings:view')) return
    const rule = await readSettings().then((it) => it.levels, () => null)
    levels.value = rule?.on ? rule.levels.map(({ name }, n) => ({ no: n + 1, name })) : []
  })
  return levels
}

/** A level by its number, also where its name is not known. */
export const levelName = (levels: readonly Level[], no: number): string =>
  levels.find((it) => it.no === no)?.name ?? t('levels.n', { n: no })

/** What there is to choose, with what was chosen before. */
export function levelOptions(levels: readonly Level[], chosen: number): Level[] {
  const isListed = chosen === 0 || levels.some(({ no }) => no === chosen)
  return isListed ? [...levels] : [...levels, { no: chosen, name: levelName(levels, chosen) }]
}
