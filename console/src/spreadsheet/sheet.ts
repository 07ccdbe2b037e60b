/** A table as it was read: rows of text with their numbers, as the spreadsheet program shows them. */
export interface SheetRow {
  /** From 1. */
  n: number
  cells: string[]
  /** Filtered out or folded away: whoever made the table may not have seen it. */
  isHidden: boolean
}

export interface Sheet {
  /** Empty for a text. */
  name: string
  isHidden: boolean
  rows: SheetRow[]
}

/** What keeps a file from being read, in words for people. */
export class Unreadable extends Error {}

export const COLUMNS_MAX = 256 // of a row that are read; a workbook can name 16,384 in every one

/** A cell without what keeps it text: ="SF123", 'SF123, and tabs around it. */
export const tidy = (text: string) => text.trim().replace(/^="(.*)"$/, '$1').replace(/^'/, '').trim()
