// What would keep a built mini-program from running in Alipay, as far as it shows without Alipay's tools,
// which nobody may run without an account:
//   node checks/mp-alipay.mjs dist/build/mp-alipay
// Prints the sizes of the packages; every finding is a line, and any finding ends it with an error.
import fs from 'node:fs'
import path from 'node:path'
import { JSDOM } from 'jsdom'
import { builtIn } from './built.mjs'

const TYPINGS = path.resolve(import.meta.dirname, '../.cache/my/types')
const TAGS =
  'block button form image input rich-text scroll-view slot swiper swiper-item switch text textarea view'.split(' ') // of Alipay's own, those that we use

const root = path.resolve(process.argv[2] ?? 'dist/build/mp-alipay')
const built = builtIn(root, { template: '.axml', directive: 'a' })
const { app, templates, findings, jsonOf } = built

/** Every template is well formed, and has no element but Alipay's and those that it declares. */
function parseTemplates() {
  for (const [file, text] of templates) {
    const bare = text.replace(/\{\{.*?\}\}/g, '').replace(/\ba:/g, 'a-')
    const xml = bare.replace(/<[^>]+>/g, (tag) => tag.replace(/ ([\w-]+)(="[^"]*")?/g, (_, name, value) => ` ${name}${value ?? '=""'}`))
    const known = [...TAGS, ...Object.keys(jsonOf(file.replace('.axml', '.json')).usingComponents ?? {})]
    try {
      const { document } = new JSDOM(`<root>${xml}</root>`, { contentType: 'text/xml' }).window
      for (const element of document.querySelectorAll('root *')) {
        if (!known.includes(element.tagName)) findings.add(`${file}: no element ${element.tagName}`)
        for (const { name } of element.attributes) {
          if (/^(bind|catch|wx-)/.test(name)) findings.add(`${file}: ${name} is WeChat’s`)
        }
      }
    } catch (error) {
      findings.add(`${file}: ${error.message.split('\n')[0]}`)
    }
  }
}

/** What Alipay's typings know of my (npm run typings). */
function knownCalls() {
  if (!fs.existsSync(TYPINGS)) {
    findings.add('Alipay’s typings are missing: npm run typings')
    return new Set()
  }
  const text = fs.readdirSync(TYPINGS).map((file) => fs.readFileSync(path.join(TYPINGS, file), 'utf8')).join('\n')
  return new Set([...text.matchAll(/export (?:function|const) (\w+)/g)].map(([, name]) => name))
}

function keepRules() {
  if (jsonOf('mini.project.json').component2 !== true) findings.add('component2 is off: uni-app needs it')
  for (const tab of app.tabBar?.items ?? []) if (!app.pages.includes(tab.pagePath)) findings.add(`tabBar: no page ${tab.pagePath}`)
}

parseTemplates()
built.findMissing((app.tabBar?.items ?? []).flatMap((tab) => [tab.icon, tab.activeIcon]).filter(Boolean))
built.findUnbound()
built.findUnknownEvents(/^(?:on|catch)([A-Z].*)$/)
built.findUnknownCalls('my', knownCalls())
keepRules()
built.tell()
