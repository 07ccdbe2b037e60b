/** Everything that buyers read and the server does not say. Short, no blame, numbers always real. */
import { afterWords } from '@/words-after'
import { growthWords } from '@/words-growth'
import { dayAndTime, fromYuan, timeLeft, shortTime, span, shortYuan, yuan } from '@/format'

/** How the server calls who has no name. */
const NOBODY = '拼友'
const NEW = '没有在本店买过的就是新客，未付款关闭、未成团退款的订单不算。'

interface Lives {
  life_s: number
  starts_at_s: number
  ends_at_s: number
}

/** Whether a group that is opened now ends with its activity, before its time is over. */
const isCut = ({ life_s, starts_at_s, ends_at_s }: Lives, now_s: number) => Math.max(now_s, starts_at_s) + life_s > ends_at_s

/** In which time a group has to be full: 24 小时内, or 今天 20:00 前. */
const within = (of: Lives, now_s: number) => (isCut(of, now_s) ? `${dayAndTime(of.ends_at_s, now_s)} 前` : `${span(of.life_s)}内`)

export const words = {
  ...afterWords,
  ...growthWords,
  shop: '拼团',
  noAnswer: '网络不太稳定，请稍后再试。',
  stale: '网络不太稳定，页面可能不是最新的。点这里刷新。',
  staleByServer: '服务暂时出了点问题，页面可能不是最新的。点这里刷新。',
  notLoaded: '还没有加载完，请再试一次。',
  internalError: '出了点问题，请稍后再试。',
  retry: '重新加载',
  loading: '正在加载',
  close: '关闭',
  noMore: '没有更多了',
  backHome: '回首页看看',
  notFound: '这个页面不见了，先看看首页。',
  singlePage: '请点页面下方的「前往小程序」',
  logIn: '登录',
  freeFreight: '包邮',
  save: '保存',
  back: '返回',
  longest: (n: number) => `最多 ${n} 个字`,
  copy: '复制',
  copied: '已复制',
  notCopied: '没有复制成功，请长按文字复制',

  home: {
    card: '来看看正在拼的好物',
    search: '搜索商品',
    nearlyFull: '就差 1 人满员',
    ownGroup: (standing: string) => `你的团${standing}`,
    invite: '去邀请',
    all: '全部',
    empty: '还没有拼团活动，过会儿再来看看。',
    emptyCategory: '这个分类还没有拼团，看看别的吧。',
    seats: (n: number) => `${n} 人团`,
    soloPrice: (fen: number) => `单买 ${yuan(fen)}`,
    saves: (fen: number) => `省 ${shortYuan(fen)}`,
    open: '去开团',
    soldOut: '已抢完',
    ended: '已结束',
    paused: '暂不可拼',
    startsAt: (at_s: number, now_s: number) => `${dayAndTime(at_s, now_s)} 开始`,
  },

  activity: {
    from: '起',
    groupPrice: (size: string) => `拼团价 · ${size}`,
    leaderPrice: (fen: number, varies: boolean) => `开团价 ${fromYuan(fen, varies)}（团长优惠）`,
    endsIn: '距结束',
    flash: '限时',
    startsIn: '距开始',
    promises: (hours: number) => ['未成团自动退款', `成团后 ${hours} 小时内发货`],
    formed: (n: number) => `已拼成 ${n} 个团`,
    choose: '选择规格',
    quantity: '数量',
    perOrder: (n: number) => `每单限 ${n} 件`,
    reductions: '满减',
    perBuyer: (n: number) => `每人限购 ${n} 件`,
    freeMostly: (most: string) => `包邮，部分地区除外（1 件最多 ${most}）`,
    freightOfOne: (fee: string) => `1 件 ${fee}`,
    freightSpan: (least: string, most: string) => `1 件 ${least} 至 ${most}，按收货省份算`,
    freeFrom: (amount: string, mostly: boolean) => `${mostly ? '多数地区' : ''}满 ${amount} 包邮`,
    seeStores: '看门店',
    onlyLeft: (n: number) => `只剩 ${n} 件`,
    joinable: (n: number, more: boolean) => `${n}${more ? '+' : ''} 个团正在等人`,
    joinNow: '可参加的团',
    noJoinable: {
      running: '还没有等人的团。现在开团，你就是第一个团长。',
      scheduled: '还没开始。点下面的「提醒我」，开始时告诉你。',
      paused: '活动暂停了，现在不能开团，也没有等人的团。',
      sold_out: '已经抢完，也没有等人的团了。',
      ended: '活动已结束，看看其他正在拼的好物。',
    },
    missing: (n: number) => `还差 ${n} 人`,
    left: '剩',
    join: '去参团',
    all: '查看全部',
    allTitle: '可参加的团',
    how: '怎么拼',
    noCoupons: '本活动不参与优惠券，单独购买可用。',
    within,
    steps: (n: number, least: number, until = '截止前') => [
      ['开团参团', '下单后\u200b保留名额，\u200b请及时付款'],
      ['邀请好友', `${until}\u200b凑满\u00a0${n}\u00a0人`],
      ['成团发货', least ? `到时\u200b不满 ${least}\u00a0人\u200b自动退款` : '没满\u200b自动退款'],
    ],
    compensation: (worth: string) => `没拼成补偿一张「${worth}」优惠券`,
    details: '商品详情',
    home: '首页',
    service: '客服',
    alone: '单独购买',
    open: (n: number) => `开团 · ${n}\u00a0人团`,
    startsAt: (at_s: number, now_s: number) => `${dayAndTime(at_s, now_s)} 开始`,
    allSoldOut: '拼团已抢完',
    ended: '活动已结束',
    paused: '暂不可拼',
    elsewhere: '看看其他拼团',
    myGroup: '我的团',
    notFound: '没有找到这个活动，可能已经下架。',
    confirmOpen: '确认开团',
    confirmAlone: '确认购买',
    confirmJoin: '确认参团',
  },

  /** 新客 by the rules of the server. */
  newBuyers: {
    tag: { nobody: '', joiners: '老带新', all: '新客专享' },
    means: {
      nobody: '',
      joiners: `老带新：谁都可以开团，参团的须是新客。${NEW}`,
      all: `新客专享：开团和参团的都须是新客，单独购买不限。${NEW}`,
    },
    unpaid: '查看未付款的订单',
  },

  /** What members have that others have not, by level. */
  members: {
    tag: (name: string) => `${name}专享`,
    rule: (name: string) => `会员团：${name}及以上才能开团和参团，单独购买不限。在「我的 › 会员等级」看怎么升级。`,
    label: '会员价',
    price: (name: string, price: string) => `${name} ${price}`,
    orHigher: (name: string) => `${name}及以上`,
    groups: '会员小团',
    opens: (name: string, n: number) => `${name}开 ${n} 人团`,
  },

  /** A group that forms at its deadline with fewer than all. */
  least: {
    label: '成团',
    rule: (n: number, least: number) => `${n} 人成团；到时满 ${least} 人也成团`,
    short: (least: number) => `到时满 ${least} 人也成团`,
    forms: (least: number) => `到时满 ${least} 人就成团`,
    both: (least: number, total: number) => `到时满 ${least} 人就成团，满 ${total} 人立即成团`,
    joins: (lacking: number, least: number) => (lacking === 1 ? '还差 1 人，加上你，到时就成团' : `还差 ${lacking} 人，到时满 ${least} 人就成团`),
    assured: '到时成团',
    reached: (least: number) => `已满 ${least} 人，到时成团`,
    more: (missing: number) => `再来 ${missing} 人立即成团`,
  },

  /** 阶梯团: everybody pays the first price; the more people, the more goes back. */
  tiers: {
    tag: '阶梯团',
    crowd: '万人团',
    seats: (least: number, total: number) => `${least}–${total} 人团`,
    open: (least: number, total: number) => `开团 · ${least}–${total}\u00a0人团`,
    people: (n: number) => `${n} 人`,
    spoken: (n: number, price: string, reached: boolean) => `${n} 人成团 ${price}${reached ? '，已达到' : ''}`,
    how: (price: string) => `人越多越便宜：先付 ${price}，成团后退差价`,
    low: (price: string) => `低至 ${price}`,
    step: (n: number, off: string) => `满 ${n} 人每件返 ${off}`,
    rule: (steps: string) => `阶梯团：都先付第一档的价。成团时${steps}，按达到的最高一档，差价原路退回，订单照常进行。`,
    more: (n: number, off: string, further: boolean, full: boolean) => `再来 ${n} 人${full ? '立即成团' : ''}，每件${further ? '再' : ''}返 ${off}`,
    assured: (n: number, off: string) => `已满 ${n} 人，到时成团每件返 ${off}`,
    soon: (step: string) => `${step}，马上原路退回`,
    back: (step: string, back: string) => `${step}：${back}`,
    wanted: (n: number, off: string, further: boolean) => `【再来${n}人${further ? '再' : ''}返${off}】`,
  },

  /** What the goods cost who opened a group goes back once it has formed. */
  leaderFree: {
    tag: '团长免单',
    rule: '团长免单：开团的人成团后免单，商品金额原路退回；运费不退，包邮的留 ¥0.01。',
    open: (n: number) => `免单开团 · ${n} 人团`,
    promise: '成团后你这单免单，商品金额原路退回',
    soon: '团长免单，马上原路退回',
    back: (back: string) => `团长免单：${back}`,
  },

  reminder: {
    ask: '提醒我',
    isSet: '已设提醒',
    willTell: '还没开始，开始时会提醒你。',
    set: '已设提醒，到时在「消息」里告诉你',
    setInWechat: '已设提醒，到时发微信告诉你',
    stopAsk: { activity: '取消后，活动开始时不再提醒你。', group: '取消后，空出名额时不再提醒你。' },
    stop: '取消提醒',
    keep: '先留着',
    stopped: '已取消提醒',
  },

  group: {
    invited: (leader: string) => (leader === NOBODY ? '好友邀请你一起拼' : `${leader} 邀请你一起拼`),
    missing: (n: number) => (n === 1 ? '还差 1 人，加上你就成团' : `还差 ${n} 人成团`),
    leaderMissing: (n: number) => `还差 ${n} 人，快邀请好友`,
    memberMissing: (n: number) => `还差 ${n} 人，你也可以邀请`,
    elsewhere: (standing: string) => `你已在另一个团中，${standing}`,
    elsewhereHint: '同一个活动的团，可以先去那里邀请好友。',
    allHeld: '名额正在付款中，请稍候',
    allHeldHint: '有人没付款的话，名额会放出来，这里会自动更新。',
    reminded: '已设提醒：空出名额，或这个团有了结果，都会告诉你。',
    held: (s: number) => `名额已为你保留 ${timeLeft(s)}`,
    heldHint: '付款后就占住名额了。',
    formed: '拼团成功',
    collect: '备货好后会通知你来取',
    formedMine: (hours: number) => `商家将在 ${hours} 小时内发货`,
    orderNow: (state: string) => `你的订单：${state}`,
    full: '来晚一步，这个团已满',
    formedWithout: '来晚一步，这个团已经成团',
    fullOthers: '可以参加下面的团，或自己开一个。',
    fullAlone: '可以自己开一个团。',
    /** Why nobody can open a group of their own. */
    noOpening: {
      scheduled: '活动还没开始，现在不能开团。',
      paused: '活动暂停了，现在不能开团。',
      sold_out: '拼团已抢完，不能再开团。',
      ended: '活动已结束，看看其他正在拼的好物。',
    },
    onlyOthers: '可以参加下面的团。',
    released: '你超时没付款，名额已放出，没有扣款。',
    closing: '你的订单超时未付款，正在关闭',
    closingHint: '没有扣款，稍后可以重新参团',
    failedMine: '这次没有拼成',
    due: '到时没有凑满人数',
    leaderCancelled: '团长取消了这个团',
    selfCancelled: '你取消了这个团',
    closedByShop: '商家关闭了这个团',
    closedBecause: (reason: string) => `商家关闭了这个团：${reason}`,
    closedWithActivity: '活动提前结束',
    over: '这个团已结束',
    settling: '时间到了，正在确认结果',
    settlingHint: '不能再参团了，结果马上就有。',
    refunding: (fen: number) => `${yuan(fen)} 正在原路退回`,
    refundBy: (fen: number, at_s: number) => `${yuan(fen)} 正在原路退回，预计 ${shortTime(at_s).slice(0, 5)} 前到账`,
    refunded: (fen: number) => `${yuan(fen)} 已退回`,
    noRefund: '你没有付款，不需要退款。',
    left: '剩',
    until: (at_s: number, now_s: number) => `${dayAndTime(at_s, now_s)} 截止`,
    decided: (at_s: number, n: number) => `${shortTime(at_s)} ${n} 人成团`,
    leader: '团长',
    free: '空位',
    paying: '付款中',
    seat: (name: string) => `${name}，已参团`,
    mine: '我',
    folded: (n: number) => `另有 ${n} 人`,
    joined: (n: number) => `又有 ${n} 人加入`,
    others: '其他正在等人的团',
    home: '去首页看看更多拼团',
    giveUpAsk: '放弃后名额会留给别人。',
    keepSeat: '再想想',
    cancelAsk: '团里只有你一个人。取消后款项原路退回。',
    cancelKeep: '继续拼',
    notFound: '没有找到这个团。链接可能不完整，也可能团长还没有付款。',
    do: {
      invite: '邀请好友',
      order: '查看订单',
      refund: '查看退款',
      coupon: '查看优惠券',
      again: '再开一团',
      pay: '继续付款',
      give_up: '放弃名额',
      open: '自己开团',
      own_group: '去我的团',
      still_join: '仍要参加这个团',
      cancel: '取消开团',
      elsewhere: '看看其他拼团',
      remind: '到时提醒我',
      forget: '取消提醒',
    },
    join: (fen: number, varies: boolean) => `参团 ${fromYuan(fen, varies)}`,
    alone: (fen: number, varies: boolean) => `单独购买 ${fromYuan(fen, varies)}`,
    /** How a shared card begins, as the server has it for links. */
    wanted: (lacking: number) => `【还差${lacking}人】`,
    wantedMore: (missing: number) => `【再来${missing}人立即成团】`,
    card: (wanted: string, fen: number, varies: boolean, title: string, soloFen: number, lowFen = fen) =>
      `${wanted}${fromYuan(fen, varies)} 拼${title}，${lowFen < fen ? `人多低至 ${shortYuan(lowFen)}，` : ''}单买 ${shortYuan(soloFen)}`,
  },

  checkout: {
    openFor: (of: Lives, now_s: number) =>
      isCut(of, now_s)
        ? `活动 ${dayAndTime(of.ends_at_s, now_s)} 结束，在那之前凑满人数就成团`
        : `付款后 ${span(of.life_s)}内凑满人数就成团`,
    express: '快递送货',
    pickup: '到店自提',
    limitLeft: (n: number) => (n > 0 ? `每人限购，你还能买 ${n} 件` : '你已买满每人限购的件数，可以单独购买'),
  },
} as const
