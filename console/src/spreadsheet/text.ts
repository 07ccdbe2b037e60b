/** Tables as text: .csv in the encodings that spreadsheet programs write, and copied cells. */
import { t } from '@/words'
import { COLUMNS_MAX, tidy, Unreadable, type Sheet, type SheetRow } from './sheet'

const SEPARATORS = [',', ';', '\t'] // .csv, .csv where the comma is in numbers, copied cells

/**
 * The text read with each separator. Which one is right shows only where the head is found: a
 * title above it has none. Tabs come last: programs pad the cells of a .csv with them.
 */
export const sheetsOfText = (text: string): Sheet[] =>
  SEPARATORS.map((separator) => ({ name: '', isHidden: false, rows: rowsOf(text, separator) }))

/** UTF-8, UTF-16, or the national encoding, in which Excel in China saves .csv. Throws Unreadable. */
export function textIn(bytes: Uint8Array): string {
  const text = decoded(bytes)
  if (text.includes('\u0000')) throw new Unreadable(t('sheet.none')) // no table, whatever it is called
  return text
}

function decoded(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  // Without a mark: every digit, tab and line break has a zero byte, before it or after it.
  const zero = bytes.indexOf(0)
  if (zero >= 0) return new TextDecoder(zero % 2 ? 'utf-16le' : 'utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('gb18030').decode(bytes)
  }
}

/** A quoted cell may hold separators and line breaks; a quote that is never closed is just a quote. */
function rowsOf(text: string, separator: string): SheetRow[] {
  const pattern = new RegExp(
    `(?:[ ]*"([^"]*(?:""[^"]*)*)"[ ]*(?=[${separator}\\r\\n]|$)|([^${separator}\\r\\n]*))(${separator}|\\r\\n|\\n|\\r|$)`,
    'y',
  )
  const rows: SheetRow[] = []
  let cells: string[] = []
  for (;;) {
    const [, quoted, plain = '', end = ''] = pattern.exec(text) ?? []
    if (cells.length < COLUMNS_MAX) cells.push(tidy(quoted?.replaceAll('""', '"') ?? plain))
    if (end === separator) continue
    rows.push({ n: rows.length + 1, cells, isHidden: false })
    if (!end) return rows
    cells = []
  }
}
