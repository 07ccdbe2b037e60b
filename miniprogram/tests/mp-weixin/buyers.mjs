// Buyers who hold the built mini-program, with the real API and the local WeChat behind it.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { phone, until } from './phone.mjs'

export const local = JSON.parse(fs.readFileSync(process.env.LOCAL ?? '../.cache/local.json', 'utf8'))
const shop = `${local.api}/v1/merchants/${local.merchant_id}`
export const read = async (at) => (await fetch(`${shop}/${at}`)).json()
/** An activity of the demonstration shop by its title: others may run beside it. */
export async function activityCalled(title) {
  const { items } = await read(`activities?q=${encodeURIComponent(title)}`)
  return items.find((it) => it.title === title)
}
const JSON_TYPE = { 'content-type': 'application/json' }

/** What the buyer does at WeChat's pay sheet, whether they collect what they buy, and what the phone has asked the API for. */
export const phones = { sheet: 'pay', collects: false, calls: [] }
let session = '' // with which it asked last
let buyer = 0 // who holds the phone
let next // where the app went

export function request({ url, method = 'GET', data, header = {}, success, fail, complete }) {
  phones.calls.push(`${method} ${new URL(url).pathname}`)
  session = header.Authorization ?? ''
  const body = method === 'GET' ? {} : { body: JSON.stringify(data ?? {}) }
  fetch(url, { method, headers: { ...JSON_TYPE, ...header }, ...body })
    .then(
      async (answer) => success({ statusCode: answer.status, data: await answer.json().catch(() => ''), header: Object.fromEntries(answer.headers) }),
      (error) => fail({ errMsg: `request:fail ${error}` }),
    )
    .finally(() => complete?.({}))
  return { abort: () => undefined }
}

async function requestPayment({ package: prepay, success, fail }) {
  if (phones.sheet === 'cancel') return fail({ errMsg: 'requestPayment:fail cancel' })
  const body = JSON.stringify({ prepay_id: prepay.replace('prepay_id=', '') })
  const answer = await fetch(`${local.wechat}/_local/pay`, { method: 'POST', headers: JSON_TYPE, body })
  return answer.ok ? success({ errMsg: 'requestPayment:ok' }) : fail({ errMsg: 'requestPayment:fail' })
}

/** The buyer agrees to what WeChat asks, as nothing but a tap may make it. */
async function requestSubscribeMessage({ tmplIds, success }) {
  const body = JSON.stringify({ name: `mp-${process.pid}-${buyer}`, template_ids: tmplIds })
  await fetch(`${local.wechat}/_local/subscriptions`, { method: 'POST', headers: JSON_TYPE, body })
  success({ errMsg: 'requestSubscribeMessage:ok', ...Object.fromEntries(tmplIds.map((id) => [id, 'accept'])) })
}

/** What the phones of these tests got in WeChat about a group. page: where the messages lead. */
export async function notifiedOf(page) {
  const { messages } = await (await fetch(`${local.wechat}/_local/messages`)).json()
  return messages.filter((it) => it.title === '拼团结果通知' && it.page === page)
}

/** What the buyer who holds the phone is told by the API. */
export const told = async (at) => (await fetch(local.api + at, { headers: { Authorization: session } })).json()

let went = ''
const go = ({ url, success }) => {
  next = url
  success?.({})
}
const here = (text) =>
  text.replaceAll('https://api.example.cn', local.api).replaceAll('"m1"', JSON.stringify(local.merchant_id))
const warnings = new Set()
let client

/** Another person with a phone of their own; nobody is logged in on it yet. given: of wx, what is special on it. */
export function nextBuyer(given = {}) {
  buyer += 1
  const wx = {
    request,
    requestPayment,
    requestSubscribeMessage,
    login: ({ success }) => success({ code: `demo-mp-${process.pid}-${buyer}` }),
    navigateTo: go,
    redirectTo: go,
    switchTab: go,
    navigateBack: ({ success } = {}) => {
      went = 'back'
      success?.({})
    },
    showModal: ({ success }) => success({ confirm: true, cancel: false }),
    pageScrollTo: ({ success }) => success?.({}),
    ...given,
  }
  for (const warning of client?.warnings ?? []) warnings.add(warning)
  client = phone(process.env.MP ?? 'dist/build/mp-weixin', wx, here)
  return client
}

export const open = (url) => client.open(url)
export const noWarnings = () => assert.deepEqual([...warnings, ...client.warnings], [])

export const shows = (page, text, ms) =>
  until(() => page.text().includes(text), ms).catch(() => assert.fail(`「${text}」 is not in 「${page.text()}」`))

export async function followed() {
  await until(() => next)
  const url = next
  next = undefined
  return client.open(url)
}

/** Choose the first SKU, write the address, submit: the page of the payment. */
export async function order(page) {
  await until(() => page.all('sku-go').length > 0)
  page.tap('sku-go')
  page.close()
  const checkout = await followed()
  await fill(checkout)
  await until(() => checkout.all('breakdown').length > 0)
  checkout.tap('submit')
  const payment = await followed()
  checkout.close()
  return payment
}

/** Everything that is to be filled in: who it is sent to, or who collects it. */
async function fill(checkout) {
  await until(() => checkout.all('choose-address').length > 0)
  if (phones.collects) {
    checkout.tap('option-pickup')
    await until(() => checkout.all('store').length > 0)
    checkout.tap('store')
    checkout.type('name', '王小明')
    checkout.type('phone', '13800138000')
    return
  }
  await until(() => !checkout.text().includes('正在加载'))
  if (checkout.all('no-address').length === 0) return
  checkout.tap('choose-address')
  const address = await followed()
  address.type('paste', '王小明 13800138000 浙江省杭州市西湖区文一西路969号')
  address.tap('parse')
  await shows(address, '西湖区')
  address.tap('save')
  await until(() => went === 'back')
  address.close()
  went = ''
  checkout.instance.onShow()
}
