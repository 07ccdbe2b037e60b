/** Alipay's mini-program. */
import { builtConfig } from './built'
import type { Platform } from './index'

interface Alipay {
  getAuthCode(options: {
    scopes: string
    success: (answer: { authCode: string }) => void
    fail: (reason: unknown) => void
  }): void
  scan(options: { success: (answer: { code: string }) => void; fail: () => void }): void
  tradePay(options: {
    tradeNO: string
    success: (answer: { resultCode: string }) => void
    fail: () => void
  }): void
}
declare const my: Alipay

const PAID = ['9000', '8000', '6004'] // done, under way, unknown: the server is asked in each
const CANCELLED = '6001'

const authCode = () =>
  new Promise<string>((resolve, reject) =>
    my.getAuthCode({ scopes: 'auth_base', success: (it) => resolve(it.authCode), fail: reject }),
  )

export const platform: Platform = {
  phone: '',

  config: async () => builtConfig(),

  codesOf: 'alipay',

  loginCode: authCode,

  authorizesBy: null,

  offersLoginBy: null,

  knowsPhone: false,

  leaveFor: () => undefined,

  returned: () => null,

  methods: ['alipay'],

  channel: () => 'mini_program',

  payerCode: authCode,

  pay: (_method, parameters) =>
    new Promise((resolve) =>
      my.tradePay({
        tradeNO: parameters.trade_no ?? '',
        success: ({ resultCode }) => {
          if (PAID.includes(resultCode)) resolve('asked')
          else resolve(resultCode === CANCELLED ? 'cancelled' : 'refused')
        },
        fail: () => resolve('refused'),
      }),
    ),

  askToNotify: null,

  sharesByCard: true,

  offerCard: null,

  hasCodes: false,

  shareLink: null,

  chooseAddress: null,

  scan: () =>
    new Promise((resolve) => my.scan({ success: ({ code }) => resolve(code), fail: () => resolve(null) })),

  saveFile: null,

  showPictures: (urls, at) => void uni.previewImage({ urls, current: at }),

  // Back leaves the page there; nothing that is open on it outlives that.
  onBack: () => () => undefined,

  isSinglePage: () => false,

  textScale: () => 1,
}
