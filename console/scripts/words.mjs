// Words that nothing says any more, and those with a `{name}` that is lost: one language has it and
// the other has not, or it is said without any facts. That every word that is said exists, in every language, the
// compiler sees; keys put together from a prefix and a status count as said.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const src = fileURLToPath(new URL('../src', import.meta.url))
const sources = readdirSync(src, { recursive: true })
  .filter((name) => /\.(vue|ts)$/.test(name) && !name.startsWith('words'))
  .map((name) => readFileSync(join(src, name), 'utf8'))
  .join('\n')
/** The words of a language by their keys. */
const read = (language) =>
  new Map([...readFileSync(join(src, `words/${language}.ts`), 'utf8').matchAll(/^\s+'([^']+)':\s*(.+)$/gm)].map((m) => [m[1], m[2]]))
const [zh, en] = [read('zh'), read('en')]
const keys = [...zh.keys()]
/** What t() fills in; other braces, such as {1}, are the words' own and stay. */
const namesIn = (text) => [...new Set([...text.matchAll(/\{([a-z]\w*)\}/g)].map((m) => m[1]))].sort().join(' ')
const composed = [...sources.matchAll(/`([a-z_.A-Z]+\.)\$\{/g)].map((m) => m[1]).concat('status.')

const unused = keys.filter(
  (key) => !sources.includes(`'${key}'`) && !composed.some((prefix) => key.startsWith(prefix)),
)
if (unused.length) {
  console.error(`Words that nothing says: ${unused.join(', ')}`)
  process.exit(1)
}

const differing = keys.filter((key) => namesIn(zh.get(key)) !== namesIn(en.get(key)))
const bare = [...sources.matchAll(/\bt\('([^']+)'\)/g)].map((m) => m[1]).filter((key) => namesIn(zh.get(key) ?? ''))
if (differing.length || bare.length) {
  console.error(`Words whose {names} differ between the languages: ${differing.join(', ') || 'none'}; said without facts: ${bare.join(', ') || 'none'}`)
  process.exit(1)
}
