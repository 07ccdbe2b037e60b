// A phone for tests: the built mini-program in WeChat's open component framework (glass-easel), in Node.
// It runs the very files that would be uploaded, each phone a copy of its own. What WeChat's client itself does (wx.*) is given as `wx`.
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { JSDOM } from 'jsdom'
import { copied } from '../copied.mjs'

const require = createRequire(import.meta.url)
const dom = new JSDOM('<!doctype html><body></body>', { pretendToBeVisual: true, url: 'http://localhost/' })
Object.assign(globalThis, { window: dom.window, document: dom.window.document })
for (const name of ['Node', 'Event', 'CustomEvent', 'Element', 'HTMLElement', 'MutationObserver', 'DocumentFragment', 'Text']) {
  globalThis[name] = dom.window[name]
}
const glassEasel = require('glass-easel')
const { MiniProgramEnv } = require('glass-easel-miniprogram-adapter')
const { TmplGroup } = require('glass-easel-template-compiler')

// WeChat hands its logic layer a plain object; uni-app looks for an own `detail`.
const wrap = glassEasel.Event.prototype.wrapShadowedEvent
glassEasel.Event.prototype.wrapShadowedEvent = function (...given) {
  const event = wrap.apply(this, given)
  return Object.defineProperty(event, 'detail', { value: this.detail, writable: true, enumerable: true, configurable: true })
}

// uni-app renders once before it has set any data.
const BEFORE_SETUP = 'The for-list data is neither Array nor Object, got type "undefined"'
const NOTHING = () => undefined
const USUAL = {
  getAppBaseInfo: () => ({ language: 'zh_CN' }),
  getLaunchOptionsSync: () => ({ query: {}, scene: 1001 }),
  getEnterOptionsSync: () => ({ query: {}, scene: 1001 }),
  getSystemInfoSync: () => ({}),
  canIUse: () => true,
  stopPullDownRefresh: NOTHING,
  showToast: NOTHING,
  setNavigationBarTitle: NOTHING,
  setTabBarBadge: NOTHING,
  removeTabBarBadge: NOTHING,
}

function storage() {
  const kept = new Map()
  return {
    getStorageSync: (name) => kept.get(name) ?? '',
    setStorageSync: (name, value) => void kept.set(name, value),
    removeStorageSync: (name) => void kept.delete(name),
  }
}

export function phone(built, wx, change = (text) => text) {
  const folder = copied(built, change)
  const warnings = []
  glassEasel.addGlobalWarningListener((warning) => {
    const words = String(warning.message ?? warning)
    if (!words.startsWith(BEFORE_SETUP)) warnings.push(words)
    return false
  })
  console.error = (...told) => void warnings.push(told.map((it) => it?.stack ?? JSON.stringify(it)).join(' ')) // Vue's, too
  const env = new MiniProgramEnv()
  const space = env.createCodeSpace('', true)
  space.getComponentSpace().updateComponentOptions({ useMethodCallerListeners: true }) // uni-app's handlers are fields
  let definer, app
  const stack = []
  Object.assign(globalThis, {
    Component: (options) => definer.Component(options),
    Behavior: (options) => definer.Behavior(options),
    Page: (options) => definer.Page(options),
    App: (options) => (app = options),
    getApp: () => app,
    getCurrentPages: () => stack.map(({ instance }) => instance),
    wx: { ...USUAL, ...storage(), ...wx },
  })
  const loaded = new Set()

  function load(at) {
    if (loaded.has(at)) return
    loaded.add(at)
    const json = JSON.parse(fs.readFileSync(path.join(folder, `${at}.json`), 'utf8'))
    const using = {}
    for (const [tag, where] of Object.entries(json.usingComponents ?? {})) {
      const component = where.startsWith('/') ? where.slice(1) : path.posix.join(path.posix.dirname(at), where)
      load(component)
      using[tag] = `/${component}`
    }
    space.addComponentStaticConfig(at, { ...json, usingComponents: using, component: undefined })
    const templates = new TmplGroup()
    for (const warning of templates.addTmpl(at, fs.readFileSync(path.join(folder, `${at}.wxml`), 'utf8'))) {
      warnings.push(`${at}.wxml: ${warning.message}`)
    }
    const groupList = new Function(`return ${templates.getTmplGenObjectGroups()}`)()
    space.addCompiledTemplate(at, { groupList, content: groupList[at], fallbackListenerOnNativeNode: true })
    space.componentEnv(at, (given) => {
      definer = given
      require(path.join(folder, `${at}.js`))
    })
  }

  require(path.join(folder, 'app.js'))
  app?.onLaunch?.({ query: {}, scene: 1001 })
  app?.onShow?.({ query: {}, scene: 1001 })
  const backend = env.associateBackend(new glassEasel.CurrentWindowBackendContext())

  /** Show a page; `url` as in wx.navigateTo. */
  function open(url) {
    const [at, query = ''] = url.replace(/^\//, '').split('?')
    load(at)
    const root = backend.createRoot('body', space, at)
    const host = document.createElement('div')
    const place = document.createElement('i')
    host.appendChild(place)
    document.body.appendChild(host)
    root.attach(host, place)
    const component = root.getComponent()
    const instance = component.getMethodCaller?.() ?? component
    const options = Object.fromEntries(query ? query.split('&').map((part) => part.split('=')) : [])
    Object.assign(instance, { route: at, options })
    const page = {
      instance,
      text: () => host.textContent,
      html: () => host.innerHTML,
      all: (testid) => found(component, testid),
      fire: (element, event, detail = {}) => glassEasel.triggerEvent(element, event, detail, { bubbles: true, composed: true }),
      tap: (testid) => page.fire(page.all(testid)[0] ?? fail(`no ${testid} in ${host.textContent}`), 'tap'),
      type: (testid, value) => page.fire(inputIn(page.all(testid)[0]), 'input', { value }),
      close() {
        stack.splice(stack.indexOf(page), 1)
        instance.onHide?.()
        instance.onUnload?.()
        host.remove()
      },
    }
    stack.push(page)
    instance.onLoad?.(options)
    instance.onShow?.()
    return page
  }
  return { warnings, open }
}

/** The input inside a field. */
function inputIn(field) {
  const walk = (node) => (['input', 'textarea'].includes(node.is) ? node : (node.childNodes ?? []).map(walk).find(Boolean))
  return walk(field) ?? fail('no input')
}

/** The elements with a data-testid, in the page and in the components inside it. */
function found(component, testid) {
  const list = []
  const walk = (node) => {
    if (node.dataset?.testid === testid) list.push(node)
    const inside = node.getShadowRoot?.()
    if (inside) walk(inside)
    for (const child of node.childNodes ?? []) walk(child)
  }
  walk(component.getShadowRoot())
  return list
}

function fail(words) {
  throw new Error(words)
}

export async function until(condition, ms = 20_000) {
  for (const end = Date.now() + ms; Date.now() < end; await new Promise((done) => setTimeout(done, 50))) {
    if (await condition()) return
  }
  throw new Error('it did not come')
}
