// What a browser fetches, compressed: every chunk, and the first page (login and frame).
// Ends with an error when the first page is over its budget.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const FIRST_PAGE_MAX_KB = 250
const FIRST_PAGE = ['index.html', 'src/pages/login/LoginPage.vue'] // the entry holds the frame

const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
const sizes = new Map()

function kilobytes(file) {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(new URL(file, dist))).length / 1024)
  return sizes.get(file)
}

function filesOf(name, found = new Set()) {
  const chunk = manifest[name]
  if (!chunk || found.has(chunk.file)) return found
  found.add(chunk.file)
  for (const css of chunk.css ?? []) found.add(css)
  for (const other of chunk.imports ?? []) filesOf(other, found)
  return found
}

const first = new Set(['index.html'])
for (const page of FIRST_PAGE) {
  if (!manifest[page]) throw new Error(`no chunk for ${page}`)
  for (const file of filesOf(page)) first.add(file)
}
const all = new Set(first)
for (const chunk of Object.values(manifest)) for (const file of [chunk.file, ...(chunk.css ?? [])]) all.add(file)

const bySize = [...all].toSorted((a, b) => kilobytes(b) - kilobytes(a))
for (const file of bySize) {
  console.log(`${kilobytes(file).toFixed(1).padStart(8)} KB  ${first.has(file) ? '*' : ' '} ${file}`)
}
const total = [...first].reduce((sum, file) => sum + kilobytes(file), 0)
console.log(`${total.toFixed(1).padStart(8)} KB  * the first page (at most ${FIRST_PAGE_MAX_KB})`)
if (total > FIRST_PAGE_MAX_KB) process.exit(1)
