/** The page of what an order is of. */
import type { OrderRow } from '@/api/trade'
import { to, urlOf, type Query } from '@/routes'

type Of = Pick<OrderRow, 'activity_id' | 'for_points'>

export const goodsUrl = ({ activity_id, for_points }: Of): string =>
  for_points ? urlOf('pointsOffer', { o: activity_id }) : urlOf('activity', { a: activity_id })

/** more: what an activity's page begins with. */
export const toGoodsOf = ({ activity_id, for_points }: Of, more: Query = {}): Promise<void> =>
  for_points ? to('pointsOffer', { o: activity_id }) : to('activity', { a: activity_id, ...more })
