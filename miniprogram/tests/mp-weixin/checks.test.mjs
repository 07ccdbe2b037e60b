// Each of these faults, planted into a build that is right, is found by checks/mp-weixin.mjs.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

const built = process.env.MP ?? 'dist/build/mp-weixin'
const check = path.resolve(import.meta.dirname, '../../checks/mp-weixin.mjs')

function findings(plant) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mp-check-'))
  fs.cpSync(built, folder, { recursive: true })
  const edit = (file, change) => {
    const at = path.join(folder, file)
    const before = fs.readFileSync(at, 'utf8')
    const after = change(before)
    assert.notEqual(after, before, 'nothing was planted')
    fs.writeFileSync(at, after)
  }
  plant(edit, (file) => fs.rmSync(path.join(folder, file)))
  const { status, stderr } = spawnSync(process.execPath, [check, folder], { encoding: 'utf8' })
  fs.rmSync(folder, { recursive: true })
  return { status, stderr }
}

const FAULTS = {
  'a page that is missing': [(_, remove) => remove('pages/group/group.js'), /pages\/group\/group\.js is missing/],
  'an address of no page': [(edit) => edit('routes.js', (it) => it.replace('/pages/login/login', '/pages/login/logon')), /no page pages\/login\/logon/],
  'a call that WeChat does not have': [(edit) => edit('ask.js', (it) => `${it}\nwx.showTost({})`), /wx\.showTost does not exist/],
  'a broken template': [(edit) => edit('pages/group/group.wxml', (it) => it.replace('</', '<')), /wcc/],
  'a setting that WeChat does not know': [(edit) => edit('app.json', (it) => it.replace('"pages"', '"pagez": [], "pages"')), /pagez/],
}

for (const [name, [plant, said]] of Object.entries(FAULTS)) {
  test(name, () => {
    const { status, stderr } = findings(plant)
    assert.equal(status, 1)
    assert.match(stderr, said)
  })
}
