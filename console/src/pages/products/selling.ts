/** The activities that sell a product, and what can become of them when it is off sale. */
import { endActivity, pauseActivity } from '@/api/activities'
import type { SellingActivity } from '@/api/products'

export const ACTS = ['pause', 'end', 'keep'] as const
export type Then = (typeof ACTS)[number]

/** Those in which groups can be opened, now or later. */
export const goingOn = (activities: SellingActivity[]) => activities.filter((it) => it.state !== 'paused')

/** One after the other; what was done before a refusal stays done, and a repeat does the rest. */
export async function carryOut(then: Then, activities: SellingActivity[]): Promise<void> {
  if (then === 'keep') return
  for (const { activity_id } of goingOn(activities))
    await (then === 'pause' ? pauseActivity(activity_id) : endActivity(activity_id, 'keep'))
}
