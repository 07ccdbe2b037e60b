// What buyers see in the built mini-program when time runs out, and after they have bought; the shop behind it
// lives sixty times as fast.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { followed, local, nextBuyer, noWarnings, open, order, phones, request, shows, told } from './buyers.mjs'
import { until } from './phone.mjs'

const MINUTE_MS = 60_000
const post = (at, body) =>
  fetch(local.api + at, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${local.owner}`, 'idempotency-key': crypto.randomUUID() },
    body: JSON.stringify(body),
  }).then(async (answer) => assert.ok(answer.ok, await answer.text()))

/** Show the page again and again, as somebody does who waits, until it says so. */
const comesToShow = (page, text) =>
  until(async () => {
    await page.instance.onShow()
    return page.text().includes(text)
  }, MINUTE_MS * 2).catch(() => assert.fail(`「${text}」 is not in 「${page.text()}」`))

/** From the page of the activity to that of the payment. */
async function bought(sale, way) {
  const activity = open(`pages/activity/activity?a=${sale.activity_id}`)
  await until(() => activity.all(way).length > 0)
  activity.tap(way)
  return order(activity)
}

test('a seat that is not paid is let go of; a group that fails pays back, and that is followed to its arrival', async () => {
  nextBuyer()
  phones.sheet = 'cancel'
  const unpaid = await bought(local.sale, 'open')
  await shows(unpaid, '还没有付款')
  await shows(unpaid, '超时没付款，名额已放出', MINUTE_MS)
  assert.deepEqual([unpaid.all('act-again').length, unpaid.all('act-open').length], [0, 1])
  assert.ok(!unpaid.text().includes('失败'))
  unpaid.close()

  phones.sheet = 'pay'
  const payment = await bought(local.sale, 'open')
  await shows(payment, '开团成功，还差 1 人')
  payment.tap('act-group')
  const group = await followed()
  payment.close()
  await shows(group, '还差 1 人，快邀请好友')
  await shows(group, '这次没有拼成', MINUTE_MS * 2)
  assert.ok(group.text().includes('到时没有凑满人数'))
  group.tap('act-refund')
  const paidBack = await followed()
  group.close()
  await comesToShow(paidBack, '已原路退回')
  paidBack.close()
  noWarnings()
})

test('what is bought for a store is collected by its code, and asked back with a picture', async () => {
  nextBuyer({
    chooseImage: ({ success }) => success({ tempFilePaths: [local.picture], tempFiles: [{ path: local.picture, size: fs.statSync(local.picture).size }] }),
    uploadFile: ({ url, filePath, name, formData, success, fail }) => {
      const form = new FormData()
      for (const [field, value] of Object.entries(formData)) form.append(field, value)
      form.append(name, new Blob([fs.readFileSync(filePath)]))
      fetch(url, { method: 'POST', body: form }).then(async (answer) => success({ statusCode: answer.status, data: await answer.text() }), fail)
      return { abort: () => undefined }
    },
  })
  phones.collects = true
  const payment = await bought(local.sale, 'alone')
  phones.collects = false
  await shows(payment, '付款成功')
  payment.tap('act-order')
  const mine = await followed()
  payment.close()
  const { id } = mine.instance.options
  await post(`/v1/merchant/orders/${id}/readiness`, {})
  await comesToShow(mine, '取货码')
  assert.equal(mine.all('pickup-code').length, 1)
  assert.equal(mine.all('pickup-qr').length, 1)
  mine.close()

  const apply = open(`after/apply/apply?id=${id}`)
  await until(() => apply.all('option-refund').length > 0)
  apply.tap('option-refund')
  apply.tap('option-other')
  apply.tap('add-picture')
  await until(() => apply.all('picture').length === 1)
  apply.tap('submit')
  const requests = await followed()
  apply.close()
  await shows(requests, '等待商家处理')
  const [asked] = (await told(`/v1/orders/${id}/after-sales`)).items
  assert.deepEqual([asked.reason, asked.pictures.length], ['other', 1])
  await post(`/v1/merchant/after-sales/${asked.after_sale_id}/approval`, { amount_fen: asked.amount_fen })
  requests.close()

  const refunded = open(`pages/order/order?id=${id}`)
  await comesToShow(refunded, '已原路退回')
  refunded.close()
  noWarnings()
})

test('in the single page for moments a group is read, and nothing else is done', async () => {
  const scene = () => ({ query: {}, scene: 1154 })
  const refused = (name) => (given) => {
    phones.calls.push(name)
    given?.fail?.({ errMsg: `${name}:fail` })
  }
  const forbidden = Object.fromEntries(
    ['login', 'navigateTo', 'redirectTo', 'switchTab', 'requestPayment', 'chooseAddress', 'requestSubscribeMessage'].map((it) => [it, refused(it)]),
  )
  const keeps = new Error('storage is not shared with a single page')
  nextBuyer({
    ...forbidden,
    getLaunchOptionsSync: scene,
    getEnterOptionsSync: scene,
    getStorageSync: () => {
      throw keeps
    },
    setStorageSync: () => {
      throw keeps
    },
  })
  phones.calls.length = 0
  const group = open(`pages/group/group?g=${local.group.group_id}&s=`)
  await shows(group, '邀请你一起拼')
  assert.ok(group.text().includes(local.group.title))
  for (const testid of ['act-join', 'act-open', 'group-product', 'seat-free', 'to-home']) group.tap(testid)
  await new Promise((done) => setTimeout(done, 300))

  assert.deepEqual(phones.calls, [`GET /v1/merchants/${local.merchant_id}/groups/${local.group.group_id}/page`])
  group.close()
  noWarnings()
})

test('once its time is over a group offers no seat, whatever is still being asked', async () => {
  const settling = ({ success, ...given }) =>
    request({
      ...given,
      success: (answer) => {
        const { progress } = answer.data ?? {}
        if (progress) progress.now_s = progress.expires_at_s // as in the minute before it is known to have failed
        success(answer)
      },
    })
  nextBuyer({ request: settling })
  const group = open(`pages/group/group?g=${local.group.group_id}`)
  await shows(group, '时间到了，正在确认结果')
  assert.equal(group.all('act-join').length, 0)
  group.close()
  noWarnings()
})
