/** A copy of all that the shop keeps of the buyer. */
import { readPoints } from '@/api/growth'
import { readOwnData } from '@/api/me'
import { say } from '@/ask'
import { copy } from '@/copy'
import { platform } from '@/platform'
import { accountWords } from '@/words-account'

/** Put every page together, and hand it over as a file, or to paste where there are no files. */
export async function exportOwnData(): Promise<void> {
  const data = await readOwnData()
  for (let next = data.next; next; ) {
    const page = await readOwnData(next)
    data.orders.push(...page.orders)
    data.after_sales.push(...page.after_sales)
    data.messages.push(...page.messages)
    next = page.next
  }
  for (let next = data.points.next; next; ) {
    const page = await readPoints(next)
    data.points.entries.push(...page.entries)
    next = page.next
  }
  const { next: _, ...whole } = { ...data, points: { ...data.points, next: undefined } }
  const text = JSON.stringify(whole, null, 2)
  if (!platform.saveFile) return copy(text)
  platform.saveFile(accountWords.settings.exportFile, text)
  say(accountWords.settings.exported)
}
