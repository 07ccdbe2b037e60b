// Faults planted into a build that is right: each of them is found by the check of its platform.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

/** faults: by what is wrong, how it is planted (edit a file, remove one), and what is said of it. */
export function findEach(platform, faults) {
  const built = process.env.MP ?? `dist/build/${platform}`
  const check = path.resolve(import.meta.dirname, `../checks/${platform}.mjs`)

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

  for (const [name, [plant, said]] of Object.entries(faults)) {
    test(name, () => {
      const { status, stderr } = findings(plant)
      assert.equal(status, 1)
      assert.match(stderr, said)
    })
  }
}
