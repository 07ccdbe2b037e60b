// What the phone keeps of earlier visits: the last answers of some pages, and no more of them however many are read.
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { build } from 'esbuild'

const SRC = path.resolve(import.meta.dirname, '../src')
const platform = {
  name: 'platform',
  setup(made) {
    made.onResolve({ filter: /^@\/platform$/ }, () => ({ path: 'phone', namespace: 'phone' }))
    made.onLoad({ filter: /.*/, namespace: 'phone' }, () => ({ contents: "export const platform = { phone: '' }" }))
  },
}
const { outputFiles } = await build({
  entryPoints: [path.join(SRC, 'state/storage.ts')],
  plugins: [platform],
  define: { 'import.meta.env.VITE_BUILD': '"b1"' },
  bundle: true,
  write: false,
  format: 'cjs',
  platform: 'node',
})
const phone = new Map()
globalThis.uni = {
  getStorageSync: (key) => phone.get(key) ?? '',
  setStorageSync: (key, value) => phone.set(key, value),
  removeStorageSync: (key) => phone.delete(key),
  getStorageInfoSync: () => ({ keys: [...phone.keys()] }),
}
const built = { exports: {} }
new Function('module', outputFiles[0].text)(built)
const { keep, keepAnswer, keptAnswer, forgetBuyer } = built.exports

const pages = (from, to) => Array.from({ length: to - from }, (_, i) => `group.${from + i}`)
const answers = () => [...phone.keys()].filter((key) => key.startsWith('tuan.last.'))

test('the newest answers are kept, and what nobody counts any more goes', () => {
  keep('last.of.an.earlier.build', { build: 'b0', answer: 1 })
  keep('session', 'kept')
  for (const name of pages(0, 40)) keepAnswer(name, name)
  keepAnswer('group.10', 'again')
  keepAnswer('group.40', 'new')

  assert.equal(answers().length, 30)
  assert.deepEqual(['group.10', 'group.11', 'group.12', 'group.40'].map(keptAnswer), ['again', null, 'group.12', 'new'])
  assert.equal(phone.get('tuan.session'), 'kept')
})

test('an answer is forgotten alone, or with the buyer', () => {
  keepAnswer('group.40', null)
  assert.deepEqual(['group.40', 'group.39'].map(keptAnswer), [null, 'group.39'])

  forgetBuyer()
  assert.deepEqual([...phone.keys()], ['tuan.session'])
})
