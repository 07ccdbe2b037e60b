// Words that nothing says any more. That every word that is said exists, in every language, the
// compiler sees; keys put together from a prefix and a status count as said.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const src = fileURLToPath(new URL('../src', import.meta.url))
const sources = readdirSync(src, { recursive: true })
  .filter((name) => /\.(vue|ts)$/.test(name) && !name.startsWith('words'))
  .map((name) => readFileSync(join(src, name), 'utf8'))
  .join('\n')
const keys = [...readFileSync(join(src, 'words/zh.ts'), 'utf8').matchAll(/^\s+'([^']+)':/gm)].map((m) => m[1])
const composed = [...sources.matchAll(/`([a-z_.A-Z]+\.)\$\{/g)].map((m) => m[1]).concat('status.')

const unused = keys.filter(
  (key) => !sources.includes(`'${key}'`) && !composed.some((prefix) => key.startsWith(prefix)),
)
if (unused.length) {
  console.error(`Words that nothing says: ${unused.join(', ')}`)
  process.exit(1)
}
