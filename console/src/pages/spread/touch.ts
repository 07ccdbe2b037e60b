/** By which visit of several a seat is counted for a share. */
export const TOUCHES = ['last', 'first'] as const
export type Touch = (typeof TOUCHES)[number]

/** Where a shop spreads an activity by shares of its own. */
export const SHOP_CHANNELS = ['store', 'flyer', 'poster', 'official_account', 'community', 'link'] as const
export const NAME_MAX = 20
