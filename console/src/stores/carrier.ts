/** The carrier that somebody shipped by last: mostly the next one's too. */
const KEPT_AS = 'tuan.carrier'

export const lastCarrier = () => localStorage.getItem(KEPT_AS) ?? ''
export const rememberCarrier = (code: string) => localStorage.setItem(KEPT_AS, code)
