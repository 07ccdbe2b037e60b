import { t } from '@/words'

/** The name of a way to pay; one that the console does not know yet is shown as it is. */
export function methodWords(method: string): string {
  return method === 'wechat_pay' || method === 'alipay' ? t(`method.${method}`) : method
}
