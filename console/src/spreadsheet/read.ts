/** Tables that people bring: .xlsx, .csv, or what they copied. Everything is read as text. */
import { strFromU8, unzipSync } from 'fflate'
import { t } from '@/words'

const FILE_MAX = 10 * 1024 * 1024 // bytes
const UNPACKED_MAX = 100 * 1024 * 1024 // a few kilobytes can unpack to anything
const EXACT_MAX = 1e15 // Excel keeps 15 digits of a number; the others are already lost
const PARTS = /^xl\/(workbook\.xml|_rels\/workbook\.xml\.rels|sharedStrings\.xml|worksheets\/[^/]+\.xml)$/

/** What keeps a file from being read, in words for people. */
export class Unreadable extends Error {}

/** The cells of the first sheet, or of a .csv, row by row. Throws Unreadable. */
export async function tableOf(file: File): Promise<string[][]> {
  if (file.size > FILE_MAX) throw new Unreadable(t('sheet.tooLarge'))
  const bytes = new Uint8Array(await file.arrayBuffer())
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return ofWorkbook(bytes)
  if (bytes[0] === 0xd0 && bytes[1] === 0xcf) throw new Unreadable(t('sheet.old'))
  if (bytes.includes(0)) throw new Unreadable(t('sheet.none'))
  return ofText(decoded(bytes))
}

/** Rows of text, separated by tabs (copied cells), commas or semicolons; quoted cells may hold any of them. */
export function ofText(text: string): string[][] {
  const first = text.slice(0, text.search(/[\r\n]|$/))
  const mark = ['\t', ',', ';'].find((it) => first.includes(it)) ?? '\t'
  const rows: string[][] = [[]]
  const pattern = new RegExp(`(${mark}|\\r\\n|\\n|\\r|^)(?:"((?:[^"]|"")*)"|([^${mark}\\r\\n]*))`, 'g')
  for (const [whole, before, quoted, plain] of text.replace(/^\ufeff/, '').matchAll(pattern)) {
    if (before && before !== mark) rows.push([])
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
    if (!whole) break
  }
  return rows.map((row) => row.map(tidy))
}

/** Excel in China saves .csv in the national encoding, everything else in UTF-8. */
function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('gb18030').decode(bytes)
  }
}

function ofWorkbook(bytes: Uint8Array): string[][] {
  let unpacked = 0
  const isWanted = ({ name, originalSize }: { name: string; originalSize: number }) => {
    if (!PARTS.test(name)) return false
    unpacked += originalSize
    if (unpacked > UNPACKED_MAX) throw new Unreadable(t('sheet.tooLarge'))
    return true
  }
  try {
    const parts = unzipSync(bytes, { filter: isWanted })
    const strings = parts['xl/sharedStrings.xml']
    const shared = strings ? [...named(parsed(strings), 'si')].map(textOf) : []
    const sheet = parts[firstSheet(parts)]
    if (!sheet) throw new Unreadable(t('sheet.none'))
    return [...named(parsed(sheet), 'row')].map((row) => cellsOf(row, shared))
  } catch (error) {
    throw error instanceof Unreadable ? error : new Unreadable(t('sheet.none'))
  }
}

function firstSheet(parts: Record<string, Uint8Array>): string {
  const book = parts['xl/workbook.xml']
  const links = parts['xl/_rels/workbook.xml.rels']
  const sheet = book && named(parsed(book), 'sheet')[0]
  const id = [...(sheet?.attributes ?? [])].find((it) => it.localName === 'id')?.value
  const link = links && [...named(parsed(links), 'Relationship')].find((it) => it.getAttribute('Id') === id)
  const target = link ? (link.getAttribute('Target') ?? '') : 'worksheets/sheet1.xml'
  return target.startsWith('/') ? target.slice(1) : `xl/${target}`
}

function cellsOf(row: Element, shared: readonly string[]): string[] {
  const cells: string[] = []
  for (const cell of named(row, 'c')) {
    const place = columnOf(cell.getAttribute('r') ?? '') ?? cells.length
    cells[place] = tidy(valueOf(cell, shared))
  }
  return Array.from(cells, (it) => it ?? '')
}

function valueOf(cell: Element, shared: readonly string[]): string {
  const value = named(cell, 'v')[0]?.textContent ?? ''
  const kind = cell.getAttribute('t') ?? 'n'
  if (kind === 's') return shared[Number(value)] ?? ''
  if (kind === 'inlineStr') return textOf(cell)
  if (kind !== 'n' || value === '') return value
  const number = Number(value)
  // A rounded number is shown as one: the check then says what to do about it.
  return Math.abs(number) < EXACT_MAX ? String(number) : number.toExponential()
}

/** Runs of text in different letters are one text; how it is read aloud is none of it. */
function textOf(of: Element): string {
  return [...named(of, 't')].filter((it) => it.parentElement?.localName !== 'rPh').map((it) => it.textContent).join('')
}

/** 0 of A1, 27 of AB3. */
function columnOf(place: string): number | null {
  const letters = /^[A-Z]{1,3}/.exec(place)?.[0]
  return letters ? [...letters].reduce((n, it) => n * 26 + it.charCodeAt(0) - 64, 0) - 1 : null
}

/** A cell without what keeps it text: ="SF123", 'SF123. */
const tidy = (text: string) => text.trim().replace(/^="(.*)"$/, '$1').replace(/^'/, '')

const named = (of: Element | Document, name: string) => of.getElementsByTagNameNS('*', name)

function parsed(xml: Uint8Array): Document {
  const read = new DOMParser().parseFromString(strFromU8(xml), 'application/xml')
  if (named(read, 'parsererror').length) throw new Unreadable(t('sheet.none'))
  return read
}
