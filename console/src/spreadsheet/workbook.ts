/** Excel files: a zip of XML parts, read with the browser's own parser. */
import { strFromU8, unzipSync } from 'fflate'
import { t } from '@/words'
import { COLUMNS_MAX, tidy, Unreadable, type Sheet, type SheetRow } from './sheet'

const UNPACKED_MAX = 100 * 1024 * 1024 // bytes of the parts that are read; a few kilobytes can unpack to anything
const SHEETS_MAX = 20
const EXACT_MAX = 1e15 // Excel keeps 15 digits of a number; the others are already lost
const MAIN = 'xl/workbook.xml' // where it is unless the package says otherwise

/** Every sheet, the hidden ones too. Throws Unreadable. */
export function sheetsOfWorkbook(bytes: Uint8Array): Sheet[] {
  try {
    const read = reader(bytes)
    const main = links('', read('_rels/.rels')).find(({ kind }) => kind === 'officeDocument')?.target ?? MAIN
    const book = read(main)
    if (!book) throw new Unreadable(t('sheet.none'))
    const parts = links(folder(main), read(`${folder(main)}_rels/${main.slice(folder(main).length)}.rels`))
    const strings = read(parts.find(({ kind }) => kind === 'sharedStrings')?.target ?? `${folder(main)}sharedStrings.xml`)
    const shared = strings ? [...named(strings, 'si')].map(textOf) : []
    return [...named(book, 'sheet')].slice(0, SHEETS_MAX).flatMap((sheet, n) => {
      const id = [...sheet.attributes].find((it) => it.localName === 'id')?.value
      const part = read(parts.find((it) => it.id === id)?.target ?? `${folder(main)}worksheets/sheet${n + 1}.xml`)
      const isHidden = (sheet.getAttribute('state') ?? 'visible') !== 'visible'
      return part ? [{ name: sheet.getAttribute('name') ?? '', isHidden, rows: rowsOf(part, shared) }] : []
    })
  } catch (error) {
    throw error instanceof Unreadable ? error : new Unreadable(t('sheet.none'))
  }
}

/**
 * Reads the parts of a package by name. Only what is asked for is unpacked, and all of it together
 * up to a limit. Names differ in case, and by the slash that some programs write.
 */
function reader(bytes: Uint8Array): (name: string) => Document | null {
  const plain = (name: string) => name.replaceAll('\\', '/').replace(/^\/+/, '').toLowerCase()
  let unpacked = 0
  return (name) => {
    let found = ''
    const parts = unzipSync(bytes, {
      filter: (part) => {
        if (found || plain(part.name) !== plain(name)) return false
        unpacked += part.originalSize
        if (unpacked > UNPACKED_MAX) throw new Unreadable(t('sheet.tooLarge'))
        found = part.name
        return true
      },
    })
    const part = parts[found]
    return part ? parsed(part) : null
  }
}

/** What a part refers to, as names of parts. */
function links(from: string, part: Document | null) {
  return [...(part ? named(part, 'Relationship') : [])].map((link) => {
    const target = (link.getAttribute('Target') ?? '').replaceAll('\\', '/')
    return {
      id: link.getAttribute('Id'),
      kind: link.getAttribute('Type')?.split('/').at(-1),
      target: new URL(target, `part:///${from}`).pathname.slice(1),
    }
  })
}

const folder = (name: string) => name.slice(0, name.lastIndexOf('/') + 1)

function rowsOf(sheet: Document, shared: readonly string[]): SheetRow[] {
  const rows: SheetRow[] = []
  for (const row of named(sheet, 'row')) {
    const n = Number(row.getAttribute('r')) || (rows.at(-1)?.n ?? 0) + 1
    rows.push({ n, cells: cellsOf(row, shared), isHidden: ['1', 'true'].includes(row.getAttribute('hidden') ?? '') })
  }
  return rows
}

function cellsOf(row: Element, shared: readonly string[]): string[] {
  const cells: string[] = []
  for (const cell of named(row, 'c')) {
    const place = columnOf(cell.getAttribute('r') ?? '') ?? cells.length
    if (place < COLUMNS_MAX) cells[place] = tidy(valueOf(cell, shared))
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
  const letters = /^[A-Z]{1,3}/.exec(place.toUpperCase())?.[0]
  return letters ? [...letters].reduce((n, it) => n * 26 + it.charCodeAt(0) - 64, 0) - 1 : null
}

const named = (of: Element | Document, name: string) => of.getElementsByTagNameNS('*', name)

function parsed(part: Uint8Array): Document {
  const xml = textIn(part)
  // The format knows no document types; an entity can grow to anything.
  if (xml.includes('<!DOCTYPE')) throw new Unreadable(t('sheet.none'))
  const read = new DOMParser().parseFromString(xml, 'application/xml')
  if (named(read, 'parsererror').length) throw new Unreadable(t('sheet.none'))
  return read
}

/** Parts are UTF-8, or UTF-16 with a mark. */
function textIn(part: Uint8Array): string {
  if (part[0] === 0xff && part[1] === 0xfe) return new TextDecoder('utf-16le').decode(part)
  if (part[0] === 0xfe && part[1] === 0xff) return new TextDecoder('utf-16be').decode(part)
  return strFromU8(part)
}
