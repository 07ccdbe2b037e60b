/** Excel files, made in the browser: one sheet of text and numbers, no formula ever. */
import { strToU8, zipSync } from 'fflate'

export interface Column {
  title: string
  /** In characters. */
  width: number
  /** What the cells are chosen from; together at most 255 characters, or Excel refuses the file. */
  choices?: readonly string[]
}
export type Cell = string | number

const TEXT = 1 // styles, by their place in STYLES
const HEAD = 2
const AMOUNT = 3
const CHOICE_ROWS = 5000
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006'
const SHEET_TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml'
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** What somebody wrote, as text wherever the table is opened: a program would run `=…` as a formula. */
export const harmless = (text: string) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)

/** An .xlsx file of `rows` under their columns. */
export function xlsxOf(columns: readonly Column[], rows: readonly (readonly Cell[])[]): Blob {
  const files = {
    '[Content_Types].xml': `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${SHEET_TYPE}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${SHEET_TYPE}.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="${SHEET_TYPE}.styles+xml"/></Types>`,
    '_rels/.rels': relations([['officeDocument', 'xl/workbook.xml']]),
    'xl/workbook.xml': `${XML}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relations([['worksheet', 'worksheets/sheet1.xml'], ['styles', 'styles.xml']]),
    'xl/styles.xml': STYLES,
    'xl/worksheets/sheet1.xml': sheet(columns, rows),
  }
  const packed = zipSync(Object.fromEntries(Object.entries(files).map(([name, xml]) => [name, strToU8(xml)])))
  return new Blob([packed as BlobPart], { type: `${SHEET_TYPE}.sheet` })
}

const relations = (parts: [string, string][]) =>
  `${XML}<Relationships xmlns="${PACKAGE}/relationships">${parts
    .map(([kind, target], n) => `<Relationship Id="rId${n + 1}" Type="${OFFICE}/${kind}" Target="${target}"/>`)
    .join('')}</Relationships>`

// General, text, the head's bold text, amounts.
const STYLES = `${XML}<styleSheet xmlns="${MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/><xf numFmtId="2" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`

function sheet(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const widths = columns.map(
    // A whole column is text, or Excel makes 1.23E+14 of a number that somebody fills in.
    ({ width }, n) => `<col min="${n + 1}" max="${n + 1}" width="${width}" style="${TEXT}" customWidth="1"/>`,
  )
  const head = `<row r="1">${columns.map(({ title }, n) => cell(title, n, 1, HEAD)).join('')}</row>`
  const body = rows.map((row, n) => `<row r="${n + 2}">${row.map((it, at) => cell(it, at, n + 2)).join('')}</row>`)
  return `${XML}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>${widths.join('')}</cols><sheetData>${head}${body.join('')}</sheetData>${choices(columns)}</worksheet>`
}

function cell(value: Cell, column: number, row: number, style = TEXT): string {
  const place = `r="${nameOf(column)}${row}"`
  if (typeof value === 'number') return `<c ${place} s="${Number.isInteger(value) ? 0 : AMOUNT}"><v>${value}</v></c>`
  if (!value) return `<c ${place} s="${style}"/>`
  return `<c ${place} s="${style}" t="inlineStr"><is><t xml:space="preserve">${escaped(harmless(value))}</t></is></c>`
}

function choices(columns: readonly Column[]): string {
  const lists = columns.flatMap(({ choices: given }, n) =>
    given
      ? `<dataValidation type="list" allowBlank="1" showErrorMessage="0" sqref="${nameOf(n)}2:${nameOf(n)}${CHOICE_ROWS}"><formula1>"${escaped(given.join(','))}"</formula1></dataValidation>`
      : [],
  )
  return lists.length ? `<dataValidations count="${lists.length}">${lists.join('')}</dataValidations>` : ''
}

/** A, B, … of the first 26 columns; no table of ours has more. */
const nameOf = (column: number) => String.fromCharCode(65 + column)

const escaped = (text: string) =>
  text.replace(NOT_XML, '').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
