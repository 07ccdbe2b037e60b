/** Rights by area, as the owner chooses them: what needs another goes up and down with it. */
import type { AreaShown, StaffMember } from '@/api/shop'
import type { Area, Level, Role } from '@/stores/session'

export type Given = Partial<Record<Area, Level>>

const ORDER: readonly Level[] = ['none', 'view', 'act']
const isLess = (one: Level | undefined, other: Level) => ORDER.indexOf(one ?? 'none') < ORDER.indexOf(other)

export const presetOf = (areas: AreaShown[], role: Role): Given =>
  Object.fromEntries(areas.map(({ area, presets }) => [area, presets[role]]))

/** `given` with another level in one area: with what it needs, and without what needs more of it. */
export function raised(areas: AreaShown[], given: Given, area: Area, level: Level): Given {
  const next: Given = { ...given, [area]: level }
  for (const it of areas) {
    const needed = Object.entries(it.needs) as [Area, Level][]
    if (next[it.area] === 'none') continue
    for (const [other, least] of needed) {
      if (!isLess(next[other], least)) continue
      if (other === area) next[it.area] = 'none'
      else next[other] = least
    }
  }
  return next
}

/** In how many areas somebody has more or less than their role. */
export const differences = (areas: AreaShown[], { role, rights }: Pick<StaffMember, 'role' | 'rights'>) =>
  areas.filter(({ area, presets }) => (rights as Given)[area] !== presets[role]).length
