// The scripts of the built mini-program for Alipay, with the real API and the local Alipay behind them: how
// buyers log in, are refused, pay, and send pictures there. Its pages run in Alipay's own client alone.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { copied } from '../copied.mjs'

const local = JSON.parse(fs.readFileSync(process.env.LOCAL ?? '../.cache/local.json', 'utf8'))
const JSON_TYPE = { 'content-type': 'application/json' }
const HTTP_ERROR = { error: 19, errorMessage: 'http status error' }
const kept = new Map()
let sheet = 'pay' // what the buyer does at Alipay's pay sheet
const logins = []

async function ofAlipay(act, given) {
  const answer = await fetch(`${local.alipay}/_local/${act}`, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(given) })
  return answer.json()
}

/** As Alipay does: every answer but 200 is a failure, with the answer in it. */
async function answered(asked, { success, fail, complete }) {
  const answer = await asked.catch(() => null)
  if (answer === null) fail({ error: 12, errorMessage: 'network error' })
  else {
    const text = await answer.text()
    const told = { status: answer.status, headers: Object.fromEntries(answer.headers) }
    if (answer.status === 200) success({ ...told, data: JSON.parse(text) })
    else fail({ ...HTTP_ERROR, ...told, data: text })
  }
  complete?.({})
}

const RESULTS = { cancel: '6001', refuse: '4000' }
const nothing = () => undefined

globalThis.my = {
  SDKVersion: '2.9.50',
  canIUse: (name) => name === 'request',
  getSystemInfoSync: () => ({ language: 'zh-Hans', platform: 'iOS', system: 'iOS 18', windowWidth: 390, screenHeight: 844 }),
  getLaunchOptionsSync: () => ({ query: {} }),
  getStorageSync: ({ key }) => ({ data: kept.get(key) ?? null }),
  setStorageSync: ({ key, data }) => void kept.set(key, data),
  removeStorageSync: ({ key }) => void kept.delete(key),
  setStorage: nothing,
  onAppShow: nothing,
  onAppHide: nothing,
  request: ({ url, method, data, headers, ...done }) => {
    const body = method === 'GET' ? {} : { body: typeof data === 'string' ? data : JSON.stringify(data ?? {}) }
    void answered(fetch(url, { method, headers: { ...JSON_TYPE, ...headers }, ...body }), done)
    return { abort: nothing }
  },
  uploadFile: ({ url, filePath, fileName, fileType, formData, ...done }) => {
    assert.equal(fileType, 'image')
    const form = new FormData()
    for (const [name, value] of Object.entries(formData)) form.append(name, value)
    form.append(fileName, new Blob([fs.readFileSync(filePath)]))
    void answered(fetch(url, { method: 'POST', body: form }), done)
    return { abort: nothing }
  },
  getAuthCode: ({ scopes, success }) => {
    logins.push(scopes)
    void ofAlipay('codes', { open_id: `open-${process.pid}` }).then(({ code }) => success({ authCode: code }))
  },
  tradePay: async ({ tradeNO, success }) => {
    if (sheet === 'pay') await ofAlipay('pay', { trade_no: tradeNO })
    success({ resultCode: RESULTS[sheet] ?? '9000' })
  },
}

let app
Object.assign(globalThis, { App: (given) => (app = given), Page: nothing, Component: nothing, getApp: () => app, getCurrentPages: () => [] })
const here = (text) => text.replaceAll('https://api.example.cn', local.api).replaceAll('"m1"', JSON.stringify(local.merchant_id))
const folder = copied(process.env.MP ?? 'dist/build/mp-alipay', here)
const require = createRequire(import.meta.url)
const built = (name) => require(path.join(folder, `${name}.js`))
built('app')
app.onLaunch?.({ query: {} })
const { ensureSession } = built('state/login')
const { session } = built('state/session')
const { platform } = built('platform/mp-alipay')
const trade = built('api/trade')

async function placed() {
  const purchase = { sku_id: local.sale.sku_id, quantity: 1, address: local.address }
  return trade.openGroup(local.sale.activity_id, purchase, crypto.randomUUID())
}

/** What the page of the payment does. */
async function pay(order_id) {
  const [method] = platform.methods
  const auth_code = await platform.payerCode(method)
  const asked = await trade.askPayment(order_id, { method, channel: platform.channel(method), auth_code })
  return platform.pay(method, asked.parameters)
}

async function stateOf(order_id) {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((done) => setTimeout(done, 300))) {
    const { state } = await trade.findPaymentResult(order_id)
    if (state !== 'confirming') return state
  }
  return 'confirming'
}

test('who logs in is asked nothing, and is the same buyer afterwards', async () => {
  assert.equal(session.value, null)
  assert.ok(await ensureSession('/pages/index/index'))
  const { buyer_id, token } = session.value
  assert.deepEqual(logins, ['auth_base'])
  assert.ok(await ensureSession())
  assert.equal(session.value.token, token)

  session.value = { ...session.value, token: 'forged' } // as one that has ended
  assert.deepEqual((await trade.listOrders({})).items, [])
  assert.equal(session.value.buyer_id, buyer_id)
})

test('a refusal is told in the server’s words, and silence as such', async () => {
  await assert.rejects(trade.readOrder('nowhere'), ({ status, code }) => status === 404 && code === 'not_found')
  const { request } = my
  my.request = ({ fail }) => void fail({ error: 12, errorMessage: 'network error' })
  await assert.rejects(trade.readOrder('nowhere'), ({ status, code }) => status === 0 && code === 'no_answer')
  my.request = request
})

test('who closes the sheet, or is refused at it, can still pay; and the server is asked', async () => {
  const { order_id } = await placed()
  sheet = 'cancel'
  assert.equal(await pay(order_id), 'cancelled')
  assert.equal(await stateOf(order_id), 'unpaid')
  sheet = 'refuse'
  assert.equal(await pay(order_id), 'refused')
  assert.equal(await stateOf(order_id), 'unpaid')
  sheet = 'pay'
  assert.equal(await pay(order_id), 'asked')
  assert.equal(await stateOf(order_id), 'paid')
  const { status, payment_method } = await trade.readOrder(order_id)
  assert.deepEqual([status, payment_method ?? 'alipay'], ['paid', 'alipay'])
})

test('a picture is taken, whose upload is answered without content', async () => {
  const { uploadPicture } = built('api/after-sale')
  const { size } = fs.statSync(local.picture)
  const { url } = await uploadPicture({ path: local.picture, size })
  assert.equal((await fetch(url)).status, 200)
})
