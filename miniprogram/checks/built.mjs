// A built mini-program as files, and what is wrong with it on every platform: what is named and is not
// there, what a template shows and its script does not give, calls that the platform does not have.
import fs from 'node:fs'
import path from 'node:path'

const MAIN_MAX_BYTES = 500_000 // ours; WeChat and Alipay refuse 2 MB
const PACKAGE_MAX_BYTES = 1_500_000
const PICTURE_MAX_BYTES = 20_000
const LITERALS = ['true', 'false', 'null', 'undefined', 'r0'] // the last is uni-app's: it writes an input again by it

// What the elements that we use tell; every one of them is tapped. The two last are uni-app's own, between components.
const TOLD = {
  button: ['getphonenumber', 'getauthorize', 'error'],
  form: ['submit'],
  image: ['error'],
  input: ['input', 'blur', 'confirm'],
  switch: ['change'],
  textarea: ['input', 'blur'],
}
const TOLD_BY_ALL = ['tap', '__l', 'vi']

/** root: the folder of the build. template: the ending of its templates. directive: of `if` and `for` in them. */
export function builtIn(root, { template, directive }) {
  const findings = new Set()
  const files = fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
  const textOf = (file) => fs.readFileSync(path.join(root, file), 'utf8')
  const jsonOf = (file) => JSON.parse(textOf(file))
  const ending = (suffix) => files.filter((file) => file.endsWith(suffix))
  const sizeOf = (list) => list.reduce((sum, file) => sum + fs.statSync(path.join(root, file)).size, 0)
  const need = (file, by) => files.includes(file) || findings.add(`${by}: ${file} is missing`)

  const app = jsonOf('app.json')
  const packages = app.subPackages ?? app.subpackages ?? []
  const pages = [...app.pages, ...packages.flatMap((it) => it.pages.map((page) => path.posix.join(it.root, page)))]
  const scripts = ending('.js').map((file) => [file, textOf(file)])
  const templates = ending(template).map((file) => [file, textOf(file)])

  const componentAt = (file, where) => (where.startsWith('/') ? where.slice(1) : path.posix.join(path.posix.dirname(file), where))

  /** Every page, component and picture that is named exists. tabs: pictures of the tabs. */
  function findMissing(tabs) {
    for (const page of pages) for (const suffix of ['.js', '.json', template]) need(page + suffix, 'app.json')
    for (const file of ending('.json').filter((it) => !/^(project\.|mini\.project|theme\.json)/.test(it))) {
      for (const where of Object.values(jsonOf(file).usingComponents ?? {})) {
        const component = componentAt(file, where)
        need(`${component}.js`, file)
        need(component + template, file)
      }
    }
    for (const picture of tabs) need(picture.replace(/^\//, ''), 'tabBar')
    const roots = [...new Set(pages.map((page) => page.split('/')[0]))].join('|')
    const address = new RegExp(`["'\`]/((?:${roots})/[\\w/-]+)[?"'\`]`, 'g')
    for (const [file, text] of scripts) {
      for (const [, page] of text.matchAll(address)) if (!pages.includes(page)) findings.add(`${file}: no page ${page}`)
    }
    for (const [file, text] of templates) {
      for (const [, picture] of text.matchAll(/\bsrc="\/?(static\/[^"{}]+)"/g)) need(picture, file)
    }
  }

  /** What a template shows is given by its script: the names that Vue's compiler made for both. */
  function findUnbound() {
    const loops = new RegExp(`${directive}:for-(?:item|index)="(\\w+)"`, 'g')
    for (const [file, text] of templates) {
      const of = file.replace(template, '.js')
      if (!files.includes(of)) continue // told by findMissing
      const script = textOf(of)
      const loopNames = [...text.matchAll(loops)].map(([, name]) => name)
      for (const [whole, expression] of text.matchAll(/\{\{(.+?)\}\}/g)) {
        const code = expression.replace(/'[^']*'|"[^"]*"/g, '')
        for (const [, dot, name] of code.matchAll(/(\.?)\b([A-Za-z_$][\w$]*)/g)) {
          const isKnown = LITERALS.includes(name) || (!dot && loopNames.includes(name))
          if (!isKnown && !new RegExp(`[{,]"?${name.replace(/\$/g, '\\$')}"?:`).test(script)) findings.add(`${file}: ${whole} is never given`)
        }
      }
    }
  }

  /** Whatever listens to an event, listens to one that is told: by the element, or by our own component.
   * listens: the attribute, with the name of the event. */
  function findUnknownEvents(listens) {
    const toldBy = (component) => {
      const [, names = ''] = /\bemits:\[([^\]]*)\]/.exec(files.includes(component) ? textOf(component) : '') ?? []
      return [...names.matchAll(/"([^"]+)"/g)].map(([, name]) => name.replace(':', ''))
    }
    for (const [file, text] of templates) {
      const json = file.replace(template, '.json')
      const ours = files.includes(json) ? (jsonOf(json).usingComponents ?? {}) : {}
      for (const [, tag, attributes] of text.matchAll(/<([\w-]+)((?:\s+[^\s=>/]+(?:="[^"]*")?)*)/g)) {
        const told = [...TOLD_BY_ALL, ...(ours[tag] ? toldBy(`${componentAt(file, ours[tag])}.js`) : (TOLD[tag] ?? []))].map((it) => it.toLowerCase())
        for (const [, attribute] of attributes.matchAll(/\s([^\s=]+)="[^"]*"/g)) {
          const [, name] = listens.exec(attribute) ?? []
          if (name && !told.includes(name.toLowerCase())) findings.add(`${file}: ${tag} tells nothing to ${attribute}`)
        }
      }
    }
  }

  /** Every call of our own code to the platform's object exists. global: how scripts name it. */
  function findUnknownCalls(global, known) {
    const uniApps = ['createApp', 'createPage', 'createComponent', 'createPluginApp', 'createSubpackageApp']
    const calls = new RegExp(`\\b${global}(?:\\$\\d)?\\.(\\w+)`, 'g')
    for (const [file, code] of scripts.filter(([it]) => it !== 'common/vendor.js')) {
      for (const [, name] of code.matchAll(calls)) {
        if (!known.has(name) && !uniApps.includes(name)) findings.add(`${file}: ${global}.${name} does not exist`)
      }
    }
    if (scripts.some(([, code]) => /["'`]http:\/\/(?!www\.w3\.org)/.test(code))) findings.add('an http: address')
  }

  /** The bytes of each package. */
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

  /** Print the sizes and what was found; any finding ends the program with an error. */
  function tell() {
    console.log(JSON.stringify(weigh()))
    for (const finding of findings) console.error(`✗ ${finding}`)
    process.exitCode = findings.size > 0 ? 1 : 0
  }

  return { app, pages, files, scripts, templates, findings, jsonOf, ending, findMissing, findUnbound, findUnknownCalls, findUnknownEvents, tell }
}
