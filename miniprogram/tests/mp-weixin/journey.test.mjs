// Buyers in the built mini-program, with the real API and the local WeChat behind it:
//   LOCAL=../.cache/local.json npm run test:mp-weixin      (beside `make run` or `make dev`)
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { phone, until } from './phone.mjs'

const local = JSON.parse(fs.readFileSync(process.env.LOCAL ?? '../.cache/local.json', 'utf8'))
const shop = `${local.api}/v1/merchants/${local.merchant_id}`
const read = async (at) => (await fetch(`${shop}/${at}`)).json()
const JSON_TYPE = { 'content-type': 'application/json' }

let buyer = 0 // who holds the phone
let sheet = 'pay' // what the buyer does at WeChat's pay sheet
let next // where the app went
const calls = []

function request({ url, method = 'GET', data, header = {}, success, fail, complete }) {
  calls.push(`${method} ${new URL(url).pathname}`)
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
  if (sheet === 'cancel') return fail({ errMsg: 'requestPayment:fail cancel' })
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

/** What the phones of these tests got in WeChat. */
async function notified() {
  const { messages } = await (await fetch(`${local.wechat}/_local/messages`)).json()
  return messages.filter(({ title, page }) => title === '拼团结果通知' && page === notifiedOf)
}

let notifiedOf // the page that a message leads to
let went = ''
const go = ({ url, success }) => {
  next = url
  success?.({})
}
const here = (text) =>
  text.replaceAll('https://api.example.cn', local.api).replaceAll('"m1"', JSON.stringify(local.merchant_id))
const warnings = new Set()
let client

/** Another person with a phone of their own; nobody is logged in on it yet. */
function nextBuyer() {
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
  }
  for (const warning of client?.warnings ?? []) warnings.add(warning)
  client = phone(process.env.MP ?? 'dist/build/mp-weixin', wx, here)
}

const shows = (page, text) =>
  until(() => page.text().includes(text)).catch(() => assert.fail(`「${text}」 is not in 「${page.text()}」`))

async function followed() {
  await until(() => next)
  const url = next
  next = undefined
  return client.open(url)
}

/** Choose the first SKU, write the address, submit: the page of the payment. */
async function order(page) {
  await until(() => page.all('sku-go').length > 0)
  page.tap('sku-go')
  page.close()
  const checkout = await followed()
  await until(() => checkout.all('choose-address').length > 0)
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
  await until(() => checkout.all('breakdown').length > 0)
  checkout.tap('submit')
  const payment = await followed()
  checkout.close()
  return payment
}

test('one opens a group, two join it by the card, and it is formed', async () => {
  nextBuyer()
  const home = client.open('pages/index/index')
  await until(() => home.all('activity-card').length > 0)
  const { items } = await read('activities')
  const { activity_id } = items.find((it) => it.seats_total === 3 && it.state === 'running')
  home.close()

  const activity = client.open(`pages/activity/activity?a=${activity_id}`)
  await until(() => activity.all('open').length > 0)
  activity.tap('open')
  let payment = await order(activity)
  await shows(payment, '开团成功，还差 2 人')
  payment.tap('act-notify')
  await until(() => payment.all('act-notify').length === 0)
  payment.tap('act-group')
  let group = await followed()
  payment.close()
  await shows(group, '还差 2 人，快邀请好友')
  await until(() => group.instance.onShareAppMessage({ from: 'button' }).path.includes('&s='))
  const card = group.instance.onShareAppMessage({ from: 'button' }).path
  group.close()

  for (const missing of [2, 1]) {
    nextBuyer()
    group = client.open(card)
    await shows(group, missing === 1 ? '加上你就成团' : `还差 ${missing} 人成团`)
    group.tap('act-join')
    payment = await order(group)
    await shows(payment, missing === 1 ? '拼团成功！' : '参团成功，还差 1 人')
    payment.close()
  }

  notifiedOf = `pages/group/group?${card.split('?')[1].split('&')[0]}`
  await until(async () => (await notified()).length === 1)

  nextBuyer()
  group = client.open(card)
  await shows(group, '来晚一步，这个团已满')
  assert.equal(group.all('act-open').length, 1)
  group.close()
  assert.deepEqual([...warnings, ...client.warnings], [])
})

test('who closes the pay sheet can go on paying, and nothing is said to have failed', async () => {
  nextBuyer()
  const { activity_id } = (await read('activities')).items.find((it) => it.state === 'running')
  const activity = client.open(`pages/activity/activity?a=${activity_id}`)
  await until(() => activity.all('open').length > 0)
  activity.tap('open')
  sheet = 'cancel'
  const payment = await order(activity)
  await shows(payment, '还没有付款')
  await shows(payment, '名额保留')
  assert.ok(!payment.text().includes('失败'))
  sheet = 'pay'
  payment.tap('act-pay')
  await shows(payment, '开团成功')
  payment.close()
})

test('who is alone in a group leaves it, and sees the money arrive', async () => {
  nextBuyer()
  const { activity_id } = (await read('activities')).items.find((it) => it.state === 'running')
  const activity = client.open(`pages/activity/activity?a=${activity_id}`)
  await until(() => activity.all('open').length > 0)
  activity.tap('open')
  const payment = await order(activity)
  await shows(payment, '开团成功')
  payment.close()

  const orders = client.open('pages/orders/orders')
  await until(() => orders.all('open-order').length > 0)
  orders.tap('open-order')
  const mine = await followed()
  orders.close()
  await shows(mine, '邀请好友')
  mine.tap('act-cancel')
  await shows(mine, '退款进度')
  await until(async () => {
    await mine.instance.onShow()
    return mine.text().includes('已原路退回')
  })
  mine.close()
  assert.deepEqual([...warnings, ...client.warnings], [])
})
