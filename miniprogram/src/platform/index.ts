/** What the place where the shop runs can do. One file per platform; vite.config.ts chooses it. */
import type { Config } from '@/config'

export type Method = 'wechat_pay' | 'alipay'
export type Channel = 'mini_program' | 'official_account' | 'browser'

/** Whose page can tell who somebody is. */
export type Authority = 'wechat_account' | 'alipay'

/** How a pay sheet closed. `asked` never means that money moved: only the server knows that. */
export type PayOutcome = 'asked' | 'cancelled' | 'refused' | 'left'

/** What was asked for at the pay operation, for the sheet of the platform. */
export type PayParameters = Record<string, string>

export interface ImportedAddress {
  name: string
  phone: string
  province: string
  city: string
  district: string
  street: string
}

/** What a browser shares from its own menu. at: the kind and id of a short link, and the invitation. */
export interface MenuCard {
  title: string
  image: string
  at: readonly string[]
}

export interface Platform {
  /** Before the names of what is kept: tells several phones in one browser apart; else empty. */
  phone: string
  config(): Promise<Config>
  /** Whose codes `loginCode` gives. */
  codesOf: 'wechat' | 'alipay'
  /** The code of a login that asks the buyer nothing; null where the login page has to ask. */
  loginCode(): Promise<string | null>
  /** Whose page logs buyers in here without asking, where one does; the login page is for all others. */
  authorizesBy: Authority | null
  /** Whose page the login page offers beside the phone. */
  offersLoginBy: Authority | null
  /** A button with open-type="getPhoneNumber" gives the code of the phone that the platform knows. */
  knowsPhone: boolean
  leaveFor(address: string): void
  /** What that page gave to who came back from it; told once. */
  returned(): { code: string; state: string } | null
  /** Ways to pay here, the usual one first. */
  methods: readonly Method[]
  /** Where a payment by that method is asked for. */
  channel(method: Method): Channel
  /** The authorisation with which a payment is asked for, where the platform wants one. */
  payerCode(method: Method): Promise<string | null>
  /** Show the pay sheet. `left`: this page goes away, and the gateway leads back to the payment page. */
  pay(method: Method, parameters: PayParameters): Promise<PayOutcome>
  /** Ask on a tap whether messages may be sent to the buyer's WeChat; a refusal is an answer too. Returns
   *  what was accepted; null: there are no such messages here. */
  askToNotify: ((templates: readonly string[]) => Promise<string[]>) | null
  /** Cards are sent by a button with open-type="share"; elsewhere the link is copied or shared. */
  sharesByCard: boolean
  /** Open the system's own sheet to share a link, false: it was refused; null where there is none. */
  shareLink: ((title: string, link: string) => Promise<boolean>) | null
  /** Tell the menu of the browser what it shares of this page; null where a page's card says it, or nothing can. */
  offerCard: ((card: MenuCard) => void) | null
  /** It reads codes of its own, which lead into the shop; elsewhere a code holds a link. */
  hasCodes: boolean
  /** An address out of the platform's own address book; null: none was chosen. */
  chooseAddress: (() => Promise<ImportedAddress | null>) | null
  /** What the camera reads in a bar code or QR code; null: nothing was scanned. */
  scan: (() => Promise<string | null>) | null
  /** Keep a text as a file; null where there are no files: it is copied instead. */
  saveFile: ((name: string, text: string) => void) | null
  /** Pictures in full size, beginning with the one at `at`. */
  showPictures(urls: string[], at: number): void
  /** Let Back close what is open over a page instead of leaving the page, until the function that is
   *  returned is called. */
  onBack(close: () => void): () => void
  /** Read by itself and nothing else: WeChat's single page for moments. */
  isSinglePage(): boolean
  /** How much larger than usual the system wants texts: 1 is usual. */
  textScale(): number
}

export { platform } from '@platform'
