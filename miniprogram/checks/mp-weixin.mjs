// What would keep a built mini-program from running in WeChat, found without its tools, key or network:
//   node checks/mp-weixin.mjs dist/build/mp-weixin
// Prints the sizes of the packages; every finding is a line, and any finding ends it with an error.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { builtIn } from './built.mjs'

const SCHEMAS = path.resolve(import.meta.dirname, '../.cache/ci/dist/schema/dist')

const root = path.resolve(process.argv[2] ?? 'dist/build/mp-weixin')
const require = createRequire(import.meta.url)
const built = builtIn(root, { template: '.wxml', directive: 'wx' })
const { app, pages, files, scripts, findings, jsonOf, ending } = built

/** WeChat's own compilers take every template and style (npm: miniprogram-compiler). */
function compile() {
  const programs = path.join(path.dirname(require.resolve('miniprogram-compiler/package.json')), 'bin/linux')
  const run = (name, args) => {
    const program = path.join(programs, name)
    fs.chmodSync(program, 0o755)
    const { status, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 })
    if (status !== 0 || stderr.startsWith('ERR')) findings.add(`${name}: ${stderr.trim()}`)
  }
  run('wcc', ['-d', ...ending('.wxml').map((file) => `./${file}`)])
  run('wcsc', ['-db', '-pc', '1', ...ending('.wxss').map((file) => `./${file}`), '-js'])
}

/** The JSON files fit WeChat's schemas (npm run schemas). It ignores unknown fields without a word. */
function fitSchemas() {
  if (!fs.existsSync(SCHEMAS)) {
    findings.add('WeChat’s schemas are missing: npm run schemas')
    return
  }
  const { Validator } = require('jsonschema')
  const fit = (file, schema) => {
    const { errors } = new Validator().validate(jsonOf(file), require(path.join(SCHEMAS, `${schema}.cjs`)))
    for (const error of errors) findings.add(`${file}: ${error.property.replace('instance', '')} ${error.message}`)
  }
  fit('app.json', 'app')
  for (const page of pages) if (files.includes(`${page}.json`)) fit(`${page}.json`, 'page')
}

function tabPictures() {
  const themes = app.themeLocation ? Object.values(jsonOf(app.themeLocation)) : [{}]
  const icons = (app.tabBar?.list ?? []).flatMap((tab) => [tab.iconPath, tab.selectedIconPath]).filter(Boolean)
  return icons.flatMap((icon) => themes.map((theme) => (icon.startsWith('@') ? (theme[icon.slice(1)] ?? icon) : icon)))
}

/** What WeChat's typings know of wx. */
function knownCalls() {
  const typings = path.join(path.dirname(require.resolve('miniprogram-api-typings/package.json')), 'types/wx')
  const text = fs.readdirSync(typings).filter((file) => file.endsWith('.d.ts')).map((file) => fs.readFileSync(path.join(typings, file), 'utf8')).join('\n')
  return new Set([...text.matchAll(/^ {8}(?:readonly )?(\w+)\??[<(:]/gm)].map(([, name]) => name))
}

/** WeChat's rules: withdrawn calls, permissions to declare. */
function keepRules() {
  const code = scripts.map(([, text]) => text).join('\n')
  const calls = (name) => new RegExp(`wx(?:\\$1)?\\.${name}\\(`).test(code)
  for (const name of ['getUserProfile', 'getUserInfo']) if (calls(name)) findings.add(`wx.${name} is withdrawn`)
  if (app.lazyCodeLoading !== 'requiredComponents') findings.add('lazyCodeLoading is off')
  if (app.__usePrivacyCheck__ !== true) findings.add('__usePrivacyCheck__ is off')
  for (const name of ['chooseAddress', 'chooseLocation', 'choosePoi', 'getFuzzyLocation', 'getLocation']) {
    const isDeclared = (app.requiredPrivateInfos ?? []).includes(name)
    if (calls(name) !== isDeclared) findings.add(`requiredPrivateInfos and the calls of wx.${name} differ`)
  }
}

compile()
fitSchemas()
built.findMissing(tabPictures())
built.findUnbound()
built.findUnknownEvents(/^(?:capture-)?(?:mut-)?(?:bind|catch):?(.+)$/)
built.findUnknownCalls('wx', knownCalls())
keepRules()
built.tell()
