/** What the page of one's rewards says. */
import type { OwnRewards } from '@/api/growth'
import { accountWords } from '@/words-account'

type Reward = OwnRewards['items'][number]
type Got = Pick<Reward, 'coupon' | 'points'>

/** The coupon and the points that it was. */
export const gotWords = ({ coupon, points }: Got): string =>
  [coupon, points ? accountWords.rewards.points(points) : ''].filter(Boolean).join('、')

/** The order that brought it: the last one. */
export const orderOf = ({ orders }: Reward): string => orders[orders.length - 1] ?? ''
