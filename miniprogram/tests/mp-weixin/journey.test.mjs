// Buyers in the built mini-program, with the real API and the local WeChat behind it:
//   LOCAL=../.cache/local.json npm run test:mp-weixin      (beside `make run` or `make dev`)
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { activityCalled, followed, nextBuyer, notifiedOf, noWarnings, open, order, phones, read, shows, told } from './buyers.mjs'
import { until } from './phone.mjs'

const STRAWBERRIES = '红颜草莓三人团' // running, for three
const POMEGRANATES = '软籽石榴三人团' // yet to begin

test('one opens a group, two join it by the card, and it is formed', async () => {
  nextBuyer()
  const home = open('pages/index/index')
  await until(() => home.all('activity-card').length > 0)
  const { activity_id } = await activityCalled(STRAWBERRIES)
  home.close()

  const activity = open(`pages/activity/activity?a=${activity_id}`)
  await until(() => activity.all('open').length > 0)
  assert.ok(activity.instance.onShareAppMessage({ from: 'menu' }).imageUrl)
  assert.equal(activity.instance.onShareTimeline().query, `a=${activity_id}`)
  activity.tap('open')
  let payment = await order(activity)
  await shows(payment, '开团成功，还差 2 人')
  payment.tap('act-notify')
  await until(() => payment.all('act-notify').length === 0)
  await until(() => payment.instance.onShareAppMessage({ from: 'button' }).path.includes('&s='))
  const afterPaying = payment.instance.onShareAppMessage({ from: 'button' })
  assert.match(afterPaying.title, /【还差2人】/)
  assert.ok(afterPaying.imageUrl)
  payment.tap('act-group')
  let group = await followed()
  payment.close()
  await shows(group, '还差 2 人，快邀请好友')
  await until(() => group.instance.onShareAppMessage({ from: 'button' }).path.includes('&s='))
  const card = group.instance.onShareAppMessage({ from: 'button' }).path
  assert.equal(group.instance.onShareTimeline().query, card.split('?')[1])
  group.tap('act-invite')
  await shows(group, '请好友用微信扫一扫') // the code came
  group.close()

  const scene = encodeURIComponent(`s=${card.split('&s=')[1]}`)
  for (const missing of [2, 1]) {
    nextBuyer()
    group = open(missing === 2 ? afterPaying.path : `pages/group/group?scene=${scene}`)
    await shows(group, missing === 1 ? '加上你就成团' : `还差 ${missing} 人成团`)
    group.tap('act-join')
    payment = await order(group)
    await shows(payment, missing === 1 ? '拼团成功！' : '参团成功，还差 1 人')
    payment.close()
  }

  const page = `pages/group/group?${card.split('?')[1].split('&')[0]}`
  await until(async () => (await notifiedOf(page)).length === 1)

  nextBuyer()
  const elsewhere = open(`pages/activity/activity?a=${activity_id}`)
  await until(() => elsewhere.all('open').length > 0)
  elsewhere.tap('open')
  payment = await order(elsewhere)
  await shows(payment, '开团成功，还差 2 人')
  payment.close()

  nextBuyer()
  group = open(card)
  await shows(group, '来晚一步，这个团已满')
  assert.equal(group.all('act-open').length, 1)
  await until(() => group.all('joinable').length > 0)
  group.tap('joinable')
  const other = await followed()
  group.close()
  await shows(other, '邀请你一起拼')
  assert.equal(other.all('act-join').length, 1)
  other.close()
  noWarnings()
})

test('who closes the pay sheet can go on paying, and nothing is said to have failed', async () => {
  nextBuyer()
  const { activity_id } = await activityCalled(STRAWBERRIES)
  const activity = open(`pages/activity/activity?a=${activity_id}`)
  await until(() => activity.all('open').length > 0)
  activity.tap('open')
  phones.sheet = 'cancel'
  const payment = await order(activity)
  await shows(payment, '还没有付款')
  await shows(payment, '名额保留')
  assert.ok(!payment.text().includes('失败'))
  phones.sheet = 'pay'
  payment.tap('act-pay')
  await shows(payment, '开团成功')
  payment.close()
})

test('who comes before the start is reminded of it, in WeChat as well, and takes it back', async () => {
  nextBuyer()
  const { activity_id } = await activityCalled(POMEGRANATES)
  const activity = open(`pages/activity/activity?a=${activity_id}`)
  await until(() => activity.all('remind').length > 0)
  activity.tap('remind')
  await shows(activity, '已设提醒')
  assert.ok(phones.calls.includes('POST /v1/me/subscriptions'))
  const reminders = async () => (await told('/v1/me/data')).reminders.map((it) => it.activity_id)
  assert.deepEqual(await reminders(), [activity_id])
  activity.tap('remind')
  await until(async () => (await reminders()).length === 0)
  await shows(activity, '点下面的「提醒我」')
  activity.close()
  noWarnings()
})

test('a coupon is claimed by its code, and comes off what is paid', async () => {
  nextBuyer()
  const { template_id } = (await read('coupons')).items.find((it) => it.state === 'given_out' && it.from_words === '无门槛')
  const coupons = open(`growth/coupons/coupons?scene=${encodeURIComponent(`c=${template_id}`)}`)
  await shows(coupons, '立即领取')
  coupons.tap('ticket-act')
  await shows(coupons, '去使用')
  coupons.close()

  const { activity_id } = await activityCalled(STRAWBERRIES)
  const activity = open(`pages/activity/activity?a=${activity_id}`)
  await until(() => activity.all('open').length > 0)
  activity.tap('open')
  const payment = await order(activity)
  await shows(payment, '开团成功')
  payment.close()
  const mine = open('growth/mine/mine')
  await until(() => mine.all('chip-used').length > 0)
  mine.tap('chip-used')
  await shows(mine, '查看订单')
  const [{ order_id }] = (await told('/v1/orders')).items
  const { price_lines } = await told(`/v1/orders/${order_id}`)
  assert.ok(price_lines.some((it) => it.code === 'coupon' && it.amount_fen < 0))
  mine.close()
  noWarnings()
})

test('who is alone in a group leaves it, and sees the money arrive', async () => {
  nextBuyer()
  const { activity_id } = await activityCalled(STRAWBERRIES)
  const activity = open(`pages/activity/activity?a=${activity_id}`)
  await until(() => activity.all('open').length > 0)
  activity.tap('open')
  const payment = await order(activity)
  await shows(payment, '开团成功')
  payment.close()

  const orders = open('pages/orders/orders')
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
  noWarnings()
})
