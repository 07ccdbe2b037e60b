/** What buyers read after they have bought: orders, after-sale, messages, and what is theirs. */
import { yuan } from '@/format'

export const afterWords = {
  orders: {
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
