import { say } from '@/ask'
import { words } from '@/words'

/** Put a text where it can be pasted from, and say so. */
export async function copy(text: string): Promise<void> {
  try {
    await uni.setClipboardData({ data: text, showToast: false })
    say(words.copied)
  } catch {
    say(words.notCopied)
  }
}

/** Offer to call a number; a browser without a telephone is shown it. */
export function call(phoneNumber: string): void {
  uni.makePhoneCall({ phoneNumber, fail: () => undefined })
}
