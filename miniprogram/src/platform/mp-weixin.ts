/** WeChat's mini-program. */
import { builtConfig } from './built'
import type { Platform } from './index'

const SINGLE_PAGE_SCENE = 1154
const USUAL_TEXT_PX = 17 // what fontSizeSetting says when nobody changed it

export const platform: Platform = {
  phone: '',

  config: async () => builtConfig(),

  codesOf: 'wechat',

  loginCode: () =>
    new Promise((resolve, reject) => wx.login({ success: ({ code }) => resolve(code), fail: reject })),

  authorizesBy: null,

  offersLoginBy: null,

  knowsPhone: true,

  leaveFor: () => undefined,

  returned: () => null,

  methods: ['wechat_pay'],

  channel: () => 'mini_program',

  payerCode: async () => null,

  pay: (_method, parameters) =>
    new Promise((resolve) =>
      wx.requestPayment({
        timeStamp: parameters.timeStamp ?? '',
        nonceStr: parameters.nonceStr ?? '',
        package: parameters.package ?? '',
        signType: 'RSA',
        paySign: parameters.paySign ?? '',
        success: () => resolve('asked'),
        // Wrong signatures are told as `cancel` as well: the server is asked in any case.
        fail: ({ errMsg }) => resolve(errMsg.includes('cancel') ? 'cancelled' : 'refused'),
      }),
    ),

  async askToNotify(templates) {
    const answer = await new Promise<Record<string, string>>((resolve) =>
      wx.requestSubscribeMessage({
        tmplIds: [...templates],
        success: (said) => resolve(said as unknown as Record<string, string>),
        fail: () => resolve({}),
      }),
    )
    return templates.filter((id) => answer[id] === 'accept')
  },

  sharesByCard: true,

  offerCard: null,

  hasCodes: true,

  shareLink: null,

  chooseAddress: () =>
    new Promise((resolve) =>
      wx.chooseAddress({
        success: (it) =>
          resolve({
            name: it.userName,
            phone: it.telNumber,
            province: it.provinceName,
            city: it.cityName,
            district: it.countyName,
            street: it.detailInfo,
          }),
        fail: () => resolve(null),
      }),
    ),

  scan: () =>
    new Promise((resolve) => wx.scanCode({ success: ({ result }) => resolve(result), fail: () => resolve(null) })),

  saveFile: null,

  showPictures: (urls, at) => void uni.previewImage({ urls, current: at }),

  // Back leaves the page there; nothing that is open on it outlives that.
  onBack: () => () => undefined,

  isSinglePage: () => wx.getEnterOptionsSync().scene === SINGLE_PAGE_SCENE,

  textScale() {
    const { fontSizeSetting } = wx.getAppBaseInfo() as { fontSizeSetting?: number }
    return (fontSizeSetting ?? USUAL_TEXT_PX) / USUAL_TEXT_PX
  },
}
