/** Tables that people bring: .xlsx, .csv, or what they copied. Everything is read as text. */
import { t } from '@/words'
import { sheetsOfText, textIn } from './text'
import { Unreadable, type Sheet } from './sheet'
import { sheetsOfWorkbook } from './workbook'

export { sheetsOfText, Unreadable, type Sheet }

const FILE_MAX = 10 * 1024 * 1024 // bytes

/** Every sheet of a workbook, or every way to read a text as rows. Throws Unreadable. */
export async function sheetsOf(file: File): Promise<Sheet[]> {
  if (file.size > FILE_MAX) throw new Unreadable(t('sheet.tooLarge'))
  const bytes = new Uint8Array(await file.arrayBuffer())
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return sheetsOfWorkbook(bytes)
  if (bytes[0] === 0xd0 && bytes[1] === 0xcf) throw new Unreadable(t('sheet.old'))
  return sheetsOfText(textIn(bytes))
}
