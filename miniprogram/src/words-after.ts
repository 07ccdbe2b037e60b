/** What buyers read after they have bought: orders, after-sale, messages, and what is theirs. */
import { yuan } from '@/format'

export const afterWords = {
  orders: {
    logIn: '登录后查看你的订单。',
    tabs: {
      all: '全部',
      to_pay: '待付款',
      waiting: '待成团',
      to_ship: '待发货',
      to_receive: '待收货',
      after_sale: '退款/售后',
    },
    empty: {
      all: '还没有订单，去看看正在拼的好物。',
      to_pay: '没有等待付款的订单。',
      waiting: '没有正在拼的订单，去逛逛拼团。',
      to_ship: '没有等待发货的订单。',
      to_receive: '没有等待收货的订单。',
      after_sale: '没有退款或售后。',
    },
    browse: '去逛逛',
    paid: (fen: number) => `实付 ${yuan(fen)}`,
    toPay: (fen: number) => `需付 ${yuan(fen)}`,
    sum: (fen: number) => `合计 ${yuan(fen)}`,
    withFreight: (fen: number) => (fen > 0 ? `（含运费 ${yuan(fen)}）` : ''),
    pieces: (n: number) => `共 ${n}\u00a0件`,
  },

  order: {
    units: (n: number) => `${n} 件`,
    freight: '运费',
  },

  /** What goes back by the terms of a group that has formed. */
  rebate: {
    done: (fen: number) => `已返还 ${yuan(fen)}`,
    working: (fen: number) => `${yuan(fen)} 返还处理中`,
    goesOn: '订单照常进行。',
    see: '返还进度',
    begun: '发起返还',
    number: '返还编号',
  },

  messages: {
    logIn: '登录后查看成团、发货和退款的消息。',
    empty: '还没有消息。成团、发货、退款都会在这里告诉你。',
    unread: '未读',
  },

  agreements: {
    changed: '请阅读并同意',
    accept: '同意以上协议',
    accepted: '已同意',
  },
} as const
