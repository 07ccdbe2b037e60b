import { get } from './client'
import type { QueryOf, Schema } from './types'

export type Reward = Schema<'RewardOfBuyer'>

export const listRewards = (query: QueryOf<'/v1/merchant/rewards'>) => get('/v1/merchant/rewards', { query })
