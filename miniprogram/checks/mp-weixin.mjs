// What would keep a built mini-program from running in WeChat, found without its tools, key or network:
//   node checks/mp-weixin.mjs dist/build/mp-weixin
// Prints the sizes of the packages; every finding is a line, and any finding ends it with an error.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const MAIN_MAX_BYTES = 500_000 // ours; WeChat refuses 2 MB
const PACKAGE_MAX_BYTES = 1_500_000
const PICTURE_MAX_BYTES = 20_000
const SCHEMAS = path.resolve(import.meta.dirname, '../.cache/ci/dist/schema/dist')

const root = path.resolve(process.argv[2] ?? 'dist/build/mp-weixin')
const require = createRequire(import.meta.url)
const findings = new Set()

const files = fs
  .readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
const textOf = (file) => fs.readFileSync(path.join(root, file), 'utf8')
const jsonOf = (file) => JSON.parse(textOf(file))
const ending = (suffix) => files.filter((file) => file.endsWith(suffix))
const sizeOf = (list) => list.reduce((sum, file) => sum + fs.statSync(path.join(root, file)).size, 0)

const app = jsonOf('app.json')
const packages = app.subPackages ?? app.subpackages ?? []
const pages = [...app.pages, ...packages.flatMap((it) => it.pages.map((page) => path.posix.join(it.root, page)))]
const scripts = ending('.js').map((file) => [file, textOf(file)])
const templates = ending('.wxml').map((file) => [file, textOf(file)])

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

/** Every page, component and picture that is named exists. */
function findMissing() {
  const need = (file, by) => files.includes(file) || findings.add(`${by}: ${file} is missing`)
  for (const page of pages) for (const suffix of ['.js', '.json', '.wxml']) need(page + suffix, 'app.json')
  for (const file of ending('.json').filter((it) => !it.startsWith('project.') && it !== 'theme.json')) {
    for (const where of Object.values(jsonOf(file).usingComponents ?? {})) {
      const component = where.startsWith('/') ? where.slice(1) : path.posix.join(path.posix.dirname(file), where)
      need(`${component}.js`, file)
    }
  }
  const themes = app.themeLocation ? Object.values(jsonOf(app.themeLocation)) : [{}]
  for (const tab of app.tabBar?.list ?? []) {
    need(`${tab.pagePath}.js`, 'tabBar')
    for (const icon of [tab.iconPath, tab.selectedIconPath].filter(Boolean)) {
      for (const theme of themes) need(icon.startsWith('@') ? (theme[icon.slice(1)] ?? icon) : icon, 'tabBar')
    }
  }
  const roots = [...new Set(pages.map((page) => page.split('/')[0]))].join('|')
  const address = new RegExp(`["'\`]/((?:${roots})/[\\w/-]+)[?"'\`]`, 'g')
  for (const [file, text] of scripts) {
    for (const [, page] of text.matchAll(address)) if (!pages.includes(page)) findings.add(`${file}: no page ${page}`)
  }
  for (const [file, text] of templates) {
    for (const [, picture] of text.matchAll(/\bsrc="\/?(static\/[^"{}]+)"/g)) need(picture, file)
  }
}

function weigh() {
  const inside = (it) => files.filter((file) => file.startsWith(it.root.replace(/\/?$/, '/')))
  const inPackages = new Set(packages.flatMap(inside))
  const sizes = { main: sizeOf(files.filter((file) => !inPackages.has(file))) }
  for (const it of packages) sizes[it.root] = sizeOf(inside(it))
  for (const [name, bytes] of Object.entries(sizes)) {
    const most = name === 'main' ? MAIN_MAX_BYTES : PACKAGE_MAX_BYTES
    if (bytes > most) findings.add(`package ${name}: ${bytes} bytes, at most ${most}`)
  }
  for (const file of files.filter((it) => /\.(png|jpe?g|gif|webp)$/.test(it))) {
    if (sizeOf([file]) > PICTURE_MAX_BYTES) findings.add(`${file}: a picture this large belongs on the picture host`)
  }
  return sizes
}

/** Every wx.* that our own code calls exists, by WeChat's typings. */
function findUnknownCalls() {
  const typings = path.join(path.dirname(require.resolve('miniprogram-api-typings/package.json')), 'types/wx')
  const text = fs.readdirSync(typings).filter((file) => file.endsWith('.d.ts')).map((file) => fs.readFileSync(path.join(typings, file), 'utf8')).join('\n')
  const known = new Set([...text.matchAll(/^ {8}(?:readonly )?(\w+)\??[<(:]/gm)].map(([, name]) => name))
  for (const name of ['createApp', 'createPage', 'createComponent', 'createPluginApp', 'createSubpackageApp']) known.add(name) // uni-app's
  for (const [file, code] of scripts.filter(([it]) => it !== 'common/vendor.js')) {
    for (const [, name] of code.matchAll(/\bwx(?:\$\d)?\.(\w+)/g)) if (!known.has(name)) findings.add(`${file}: wx.${name} does not exist`)
  }
}

/** WeChat's rules: withdrawn calls, addresses that it lets nobody reach, permissions to declare. */
function keepRules() {
  const code = scripts.map(([, text]) => text).join('\n')
  const calls = (name) => new RegExp(`wx(?:\\$1)?\\.${name}\\(`).test(code)
  for (const name of ['getUserProfile', 'getUserInfo']) if (calls(name)) findings.add(`wx.${name} is withdrawn`)
  if (/["'`]http:\/\/(?!www\.w3\.org)/.test(code)) findings.add('an http: address')
  if (app.lazyCodeLoading !== 'requiredComponents') findings.add('lazyCodeLoading is off')
  if (app.__usePrivacyCheck__ !== true) findings.add('__usePrivacyCheck__ is off')
  for (const name of ['chooseAddress', 'chooseLocation', 'choosePoi', 'getFuzzyLocation', 'getLocation']) {
    const isDeclared = (app.requiredPrivateInfos ?? []).includes(name)
    if (calls(name) !== isDeclared) findings.add(`requiredPrivateInfos and the calls of wx.${name} differ`)
  }
}

compile()
fitSchemas()
findMissing()
findUnknownCalls()
keepRules()
console.log(JSON.stringify(weigh()))
for (const finding of findings) console.error(`✗ ${finding}`)
process.exitCode = findings.size > 0 ? 1 : 0
