/** What buyers read about coupons and points. */
import { dayAndTime, lastMoment, shortYuan, thousands } from '@/format'

const from = (at_s: number, now_s: number) => `${dayAndTime(at_s, now_s)} 起可用`
const until = (before_s: number, now_s: number) => `有效期至 ${lastMoment(before_s, now_s)}`

export const growthWords = {
  coupons: {
    enter: '领券',
    centre: '领券中心',
    mine: '我的优惠券',
    back: '优惠券已退回',
    see: '去看看',
    compensated: (worth: string) => `补偿你一张「${worth}」优惠券，已放进「我的优惠券」`,
    from,
    until,
    afterClaim: (days: number) => `领取后 ${days} 天内有效`,
    claim: '立即领取',
    claimMore: '再领一张',
    exchange: (n: number) => `${thousands(n)} 积分兑换`,
    claimed: (n: number) => (n > 1 ? `已领 ${n} 张` : '已领取'),
    claimedNow: '已领取，下单时可用',
    claimsWithLogin: '登录后自动领取这张优惠券。',
    use: '去使用',
    goods: '优惠券适用的商品',
    noGoods: '这张优惠券适用的商品现在没有拼团，过会儿再来看看。',
    states: { gone: '已领完', ended: '已过期', withdrawn: '已停止领取', revoked: '已停止领取' },
    none: '现在没有可领的优惠券，过会儿再来看看。',
    notFound: '没有找到这张优惠券。店铺可能不再发放，链接也可能不完整。',
    card: (off: string, condition: string) => `送你一张 ${off} 优惠券，${condition}`,
    cardAll: '来领优惠券，下单更省',

    useCode: '使用兑换码',

    label: '优惠券',
    promise: '未成团将自动原路退款，优惠券一并退回。',
  },

  points: {
    label: '积分',
    compensated: (n: number) => `补偿你 ${thousands(n)} 积分，已放进「我的积分」`,
    takes: '可用积分抵扣',
    tag: '可用积分',
    /** most: that can be used of those that there are. */
    usable: (balance: number, most: number, off_fen: number) => `共 ${thousands(balance)} 积分，可用 ${thousands(most)} 抵 ${shortYuan(off_fen)}`,
    use: '用积分抵扣',
    promise: '未成团将自动原路退款，积分一并退回。',
    promiseBoth: '未成团将自动原路退款，优惠券和积分一并退回。',
    back: '积分已退回',
    bothBack: '优惠券和积分已退回',
  },
} as const
