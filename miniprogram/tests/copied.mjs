import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** Copy the build out of this package of ES modules, with `change` applied to every script. */
export function copied(built, change) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mp-'))
  fs.cpSync(built, folder, { recursive: true })
  for (const file of fs.readdirSync(folder, { recursive: true }).map(String).filter((it) => it.endsWith('.js'))) {
    const at = path.join(folder, file)
    fs.writeFileSync(at, change(fs.readFileSync(at, 'utf8')))
  }
  return folder
}
