// What the pages of a group, a payment and an order say and offer, state by state and to whom.
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { buildSync } from 'esbuild'

const NOW = 1_800_000_000
const SRC = path.resolve(import.meta.dirname, '../src')
const source = (view) => `export * as ${view} from '@/pages/${view}/view'`
const { text } = buildSync({
  stdin: {
    contents: [...['activity', 'group', 'payment', 'order'].map(source), "export * as claim from '@/after/apply/claim'", "export * as level from '@/growth/level/view'", "export * as choice from '@/choice'", "export * as crowd from '@/crowd'"].join('\n'),
    resolveDir: SRC,
  },
  alias: { '@': SRC },
  bundle: true,
  write: false,
  format: 'cjs',
  platform: 'node',
}).outputFiles[0]
const built = { exports: {} }
new Function('module', text)(built)
const { activity, group, payment, order, claim, level, choice, crowd } = built.exports

const REFUND = { amount_fen: 2990, method: 'wechat_pay', status_text: '退款中', arrived_at_s: null, expected_by_s: null }
const orderOf = (given) => ({
  order_id: 'o1', status: 'paid', status_text: '待成团', delivery: 'express', group_id: 'g1', refunds: [], coupon_back: false,
  combined: '', agrees_to_combine: false, points_used: 0, points_back: 0, points_earned: 0, points_to_come: 0,
  pay_by_s: NOW + 272, after_sale: null, urged_at_s: null, receive_by_s: null, group: null, actions: [], ...given,
})

/** A group of three with one paid, open for another hour; nobody who looks at it is in it. */
const page = ({ progress = {}, ...given }) => ({
  role: 'stranger', order: null, own_group: null, reminder: null, others: [], activity_state: 'running', solo_on_sale: true, ship_within_h: 48,
  closed_words: '', new_buyers: 'nobody', compensation: '', compensated: false, leader_free: false, tiers: [], combined: null, ...given,
  progress: {
    status: 'open', failed_reason: null, leader_name: '小*', seats_missing: 2, seats_taken: 1, seats_paid: 1, seats_total: 3, seats_least: 0,
    expires_at_s: NOW + 3600, ...progress,
  },
})
const [TO_ASK, REMINDED] = [false, true].map((is_set) => ({ is_set, subscribe: [] }))
const formed = { status: 'formed', seats_missing: 0, seats_taken: 3, seats_paid: 3 }
const assured = { seats_least: 2, seats_taken: 2, seats_paid: 2, seats_missing: 1 }
const REBATE = { ...REFUND, rebate_text: '成团返还', amount_fen: 1000 }
const LADDER = [{ seats: 5, off_fen: 400 }, { seats: 10, off_fen: 1000 }]
/** A group of ten that forms with two, by how many have paid. */
const tiered = (paid, progress = {}) => ({
  tiers: LADDER,
  progress: { seats_total: 10, seats_least: 2, seats_paid: paid, seats_taken: paid, seats_missing: 10 - paid, ...progress },
})
const failed = (failed_reason) => ({ status: 'failed', failed_reason })
const other = { group_id: 'g2', seats_missing: 1 }
const refunding = orderOf({ status: 'refunding', refunds: [REFUND] })

const GROUPS = {
  'open, its leader alone': [{ role: 'leader' }, '还差 2 人，快邀请好友', '', 'invite order cancel'],
  'open, its leader with a friend': [{ role: 'leader', progress: { seats_taken: 2, seats_missing: 1 } }, '还差 1 人，快邀请好友', '', 'invite order'],
  'open, a member': [{ role: 'member', progress: { seats_taken: 2, seats_missing: 1 } }, '还差 1 人，你也可以邀请', '', 'invite order'],
  'open, a stranger': [{}, '小* 邀请你一起拼', '还差 2 人成团', 'join open'],
  'open, one lacks': [{ progress: { seats_taken: 2, seats_missing: 1 } }, '小* 邀请你一起拼', '加上你就成团', 'join open'],
  'open, by somebody without a name': [{ progress: { leader_name: '拼友' } }, '好友邀请你一起拼', '还差 2 人成团', 'join open'],
  'open, no new groups': [{ activity_state: 'paused' }, '小* 邀请你一起拼', '还差 2 人成团', 'join alone'],
  'open, who is in another group': [{ own_group: { group_id: 'g3', seats_missing: 2 } }, '你已在另一个团中，还差 2 人', '同一个活动的团', 'own_group still_join'],
  'open and full for now, who is in another group': [
    { own_group: { group_id: 'g3', seats_missing: 2 }, progress: { seats_taken: 3 }, reminder: TO_ASK }, '你已在另一个团中，还差 2 人', '', 'own_group remind'],
  'open, all seats held': [{ progress: { seats_taken: 3 }, reminder: TO_ASK }, '名额正在付款中，请稍候', '这里会自动更新', 'remind open'],
  'open, all seats held, reminded': [{ progress: { seats_taken: 3 }, reminder: REMINDED }, '名额正在付款中，请稍候', '已设提醒', 'open forget'],
  'open, all seats held, paused': [
    { progress: { seats_taken: 3 }, reminder: TO_ASK, activity_state: 'paused' }, '名额正在付款中，请稍候', '', 'remind alone elsewhere'],
  'open, who holds a seat': [{ role: 'holder', order: orderOf({ status: 'pending' }) }, '名额已为你保留 04:32', '付款后就占住名额了', 'pay give_up'],
  'open, whose hold is over': [{ role: 'holder', order: orderOf({ status: 'pending', pay_by_s: NOW }) }, '你的订单超时未付款，正在关闭', '没有扣款', ''],
  'its time over, a stranger': [{ progress: { expires_at_s: NOW } }, '时间到了，正在确认结果', '不能再参团了', 'open'],
  'its time over, a member': [{ role: 'member', progress: { expires_at_s: NOW } }, '时间到了，正在确认结果', '', 'order'],
  'formed, a member': [{ role: 'member', progress: formed, order: orderOf({ status: 'fulfilling' }) }, '拼团成功', '商家将在 48 小时内发货', 'order again'],
  'formed, a member who collects': [
    { role: 'leader', progress: formed, order: orderOf({ status: 'fulfilling', delivery: 'pickup' }) }, '拼团成功', '备货好后会通知你来取', 'order again'],
  'formed, goods sent': [
    { role: 'member', progress: formed, order: orderOf({ status: 'shipped', status_text: '待收货' }) }, '拼团成功', '你的订单：待收货', 'order again'],
  'full, a stranger': [{ progress: formed }, '来晚一步，这个团已满', '可以自己开一个团', 'open'],
  'full, others wait': [{ progress: formed, others: [other] }, '来晚一步，这个团已满', '可以参加下面的团，或自己开一个', 'open'],
  'full, who did not pay in time': [{ progress: formed, order: orderOf({ status: 'closed' }) }, '来晚一步，这个团已满', '名额已放出，没有扣款', 'open'],
  'full, paused': [{ progress: formed, activity_state: 'paused' }, '来晚一步，这个团已满', '活动暂停了，现在不能开团', 'alone elsewhere'],
  'full, sold out, others wait': [
    { progress: formed, activity_state: 'sold_out', others: [other], solo_on_sale: false }, '来晚一步，这个团已满', '拼团已抢完，不能再开团。可以参加下面的团', 'elsewhere'],
  'full, the activity over': [{ progress: formed, activity_state: 'ended' }, '来晚一步，这个团已满', '活动已结束', 'alone elsewhere'],
  'failed, a member': [{ role: 'member', progress: failed('due'), order: refunding }, '这次没有拼成', '到时没有凑满人数。¥29.90 正在原路退回', 'refund again'],
  'failed, the money expected': [
    { role: 'member', progress: failed('due'), order: orderOf({ refunds: [{ ...REFUND, expected_by_s: NOW }] }) }, '这次没有拼成', '前到账', 'refund again'],
  'failed, the money there': [
    { role: 'member', progress: failed('due'), order: orderOf({ refunds: [{ ...REFUND, arrived_at_s: NOW }] }) }, '这次没有拼成', '¥29.90 已退回', 'refund again'],
  'failed, coupon and points back': [
    { role: 'member', progress: failed('due'), order: orderOf({ refunds: [REFUND], coupon_back: true, points_used: 500, points_back: 500 }) },
    '这次没有拼成', '正在原路退回，优惠券和积分已退回', 'refund again'],
  'failed, with a coupon': [
    { role: 'member', progress: failed('due'), order: refunding, compensated: true, compensation: '¥3' },
    '这次没有拼成', '到时没有凑满人数。¥29.90 正在原路退回。', 'refund again coupon'],
  'open, forms with two': [
    { role: 'leader', progress: { seats_least: 2 } }, '还差 1 人，快邀请好友', '到时满 2 人就成团，满 3 人立即成团', 'invite order cancel'],
  'open, forms with two, a stranger': [{ progress: { seats_least: 2 } }, '小* 邀请你一起拼', '还差 1 人，加上你，到时就成团', 'join open'],
  'open, has the two': [{ role: 'member', progress: { ...assured } }, '已满 2 人，到时成团', '再来 1 人立即成团', 'invite order'],
  'open, has the two, a stranger': [{ progress: { ...assured } }, '小* 邀请你一起拼', '已满 2 人，到时成团；再来 1 人立即成团', 'join open'],
  'tiers, its leader alone': [
    { role: 'leader', ...tiered(1) }, '还差 1 人，快邀请好友', '到时满 2 人就成团；再来 4 人，每件返 ¥4', 'invite order cancel'],
  'tiers, the first price': [{ role: 'member', ...tiered(2) }, '已满 2 人，到时成团', '再来 3 人，每件返 ¥4', 'invite order'],
  'tiers, one is reached': [{ role: 'member', ...tiered(5) }, '已满 5 人，到时成团每件返 ¥4', '再来 5 人立即成团，每件再返 ¥6', 'invite order'],
  'tiers, a stranger opens the link': [
    tiered(1), '小* 邀请你一起拼', '还差 1 人，加上你，到时就成团；再来 4 人，每件返 ¥4', 'join open'],
  'tiers, one is reached, a stranger': [
    tiered(5), '小* 邀请你一起拼', '已满 5 人，到时成团每件返 ¥4；再来 5 人立即成团，每件再返 ¥6', 'join open'],
  'tiers, formed, about to be settled': [
    { role: 'member', ...tiered(5, { status: 'formed', seats_missing: 0 }), order: orderOf({}) },
    '拼团成功', '满 5 人每件返 ¥4，马上原路退回。商家将在', 'order again'],
  'tiers, formed, the money under way': [
    { role: 'member', ...tiered(10, { status: 'formed', seats_missing: 0 }), order: orderOf({ status: 'fulfilling', refunds: [REBATE] }) },
    '拼团成功', '满 10 人每件返 ¥10：¥10.00 正在原路退回', 'order again'],
  'tiers, formed at the first price': [
    { role: 'member', ...tiered(2, { status: 'formed', seats_missing: 0 }), order: orderOf({ status: 'fulfilling' }) },
    '拼团成功', '商家将在 48 小时内发货', 'order again'],
  'formed with fewer, a stranger': [{ progress: { ...formed, seats_paid: 2 } }, '来晚一步，这个团已经成团', '可以自己开一个团', 'open'],
  'open, combined with another, who came into it': [
    { role: 'member', progress: { seats_missing: 1 }, order: orderOf({ status: 'paid', combined: '原来的团到时未满，已和这个团合并' }) },
    '还差 1 人，你也可以邀请', '原来的团到时未满，已和这个团合并', 'invite order'],
  'failed, combined with another, a stranger': [
    { progress: failed('due'), combined: { group_id: 'g', mine: false, text: '团员已并入同款的另一个团' } }, '这个团已结束', '团员已并入同款的另一个团', 'open'],
  'failed, a stranger': [{ progress: failed('due') }, '这个团已结束', '到时没有凑满人数', 'open'],
  'failed, who did not pay': [{ progress: failed('due'), order: orderOf({ status: 'closed' }) }, '这个团已结束', '你没有付款，不需要退款', 'open'],
  'given up, its leader': [{ role: 'leader', progress: failed('leader_cancelled'), order: refunding }, '这次没有拼成', '你取消了这个团。', 'refund again'],
  'given up, a stranger': [{ progress: failed('leader_cancelled') }, '这个团已结束', '团长取消了这个团', 'open'],
  'closed by the shop, a member': [
    { role: 'member', progress: failed('closed_by_merchant'), closed_words: '这批货坏了', order: refunding },
    '这次没有拼成', '商家关闭了这个团：这批货坏了。¥29.90', 'refund again'],
  'closed by the shop, a stranger': [{ progress: failed('closed_by_merchant') }, '这个团已结束', '商家关闭了这个团', 'open'],
  'closed with its activity, a member': [
    { role: 'member', progress: failed('closed_by_merchant'), activity_state: 'ended', order: refunding },
    '这次没有拼成', '活动提前结束。¥29.90', 'refund alone'],
}
for (const [name, [given, sentence, hint, acts]] of Object.entries(GROUPS)) {
  test(`group: ${name}`, () => shows(group.viewOf(page(given), NOW), sentence, hint, acts))
}

const sold = { sku_id: 's1', solo_price_fen: 3990, group_price_fen: 2990, leader_price_fen: 2790 }
const BUTTONS = {
  'running': [{}, 'open', '¥27.90', '开团 · 3\u00a0人团'],
  'running, for who opens smaller groups': [{ opens_seats: 2 }, 'open', '¥27.90', '开团 · 2\u00a0人团'],
  'running, with tiers': [{ tiers: LADDER, seats_least: 2, seats_total: 10 }, 'open', '¥27.90', '开团 · 2–10\u00a0人团'],
  'running, not all at one price': [{ skus: [sold, { ...sold, leader_price_fen: null }] }, 'open', '¥27.90 起', '开团 · 3\u00a0人团'],
  'running, in a group that waits': [{ own_group: { group_id: 'g1', seats_missing: 1 } }, 'own_group', '我的团', '还差 1 人'],
  'ended, in a group that waits': [{ state: 'ended', own_group: { group_id: 'g1', seats_missing: 1 } }, 'own_group', '我的团', '还差 1 人'],
  'scheduled': [{ state: 'scheduled', reminder: TO_ASK }, 'remind', '提醒我', '01-18 16:00 开始'],
  'scheduled, reminded': [{ state: 'scheduled', reminder: REMINDED }, 'remind', '已设提醒', '01-18 16:00 开始'],
  'sold out': [{ state: 'sold_out' }, null, '拼团已抢完', ''],
  'paused': [{ state: 'paused' }, 'elsewhere', '看看其他拼团', '暂不可拼'],
  'ended': [{ state: 'ended' }, 'elsewhere', '看看其他拼团', '活动已结束'],
}
for (const [name, [given, act, label, note]] of Object.entries(BUTTONS)) {
  test(`activity: ${name}`, () => {
    const it = { state: 'running', own_group: null, skus: [sold], seats_total: 3, opens_seats: 3, tiers: [], starts_at_s: NOW + 3 * 86_400, ...given }
    assert.deepEqual(activity.buttonOf(it, NOW), { act, label, note })
  })
}

const WAITED = { looked_s: 60, asked_s: null, saysPaid: false }
const result = ({ order: of = {}, ...given }) => ({
  state: 'paid', is_leader: false, group: { status: 'open', seats_missing: 1 }, order: orderOf(of), subscribe: [], ...given,
})
const PAYMENTS = {
  'opened': [{ is_leader: true }, '开团成功，还差 1 人', '', 'invite group order'],
  'joined': [{}, '参团成功，还差 1 人', '', 'invite group order'],
  'joined, it forms anyway': [{ group: { status: 'open', ...assured } }, '参团成功，到时成团', '再来 1 人立即成团', 'invite group order'],
  'formed': [{ group: { status: 'formed' }, order: { status: 'fulfilling' } }, '拼团成功！', '商家将在 48 小时内发货', 'order group'],
  'failed since': [{ group: { status: 'failed' }, order: { status_text: '退款中' } }, '这次没有拼成', '退款中', 'refund open'],
  'alone': [{ group: null, order: { group_id: null } }, '付款成功', '', 'order'],
  'the seat was lost': [{ state: 'seat_lost', order: { refunds: [REFUND] } }, '付款成功，但名额刚被占满', '你可以用同样的价格开一个新团', 'open refund'],
  'unpaid': [{ state: 'unpaid', order: { status: 'pending' } }, '还没有付款', '名额保留 04:32', 'pay check give_up'],
  'unpaid, alone': [{ state: 'unpaid', order: { status: 'pending', group_id: null } }, '还没有付款', '请在 04:32 内付款', 'pay check give_up'],
  'unpaid, its time over': [{ state: 'unpaid', order: { status: 'pending', pay_by_s: NOW } }, '你的订单超时未付款，正在关闭', '稍后可以重新参团', ''],
  'just back from the sheet': [{ state: 'unpaid' }, '正在查询付款结果', '', 'go_on', { asked_s: 1 }],
  'says that it is paid': [{ state: 'unpaid' }, '正在确认付款结果', '请不要重复付款', '', { asked_s: 1, saysPaid: true }],
  'the bank is slow': [{ state: 'confirming' }, '正在确认付款结果', '银行处理较慢', 'order check', { asked_s: 10 }],
  'timed out, who joined': [{ state: 'timed_out' }, '超时没付款，名额已放出', '没有扣款', 'again open'],
  'timed out, who opened': [{ state: 'timed_out', is_leader: true }, '超时没付款，名额已放出', '没有扣款', 'open'],
  'timed out, who used points': [
    { state: 'timed_out', order: { points_used: 500, points_back: 500 } }, '超时没付款，名额已放出', '积分已退回。', 'again open'],
  'closed': [{ state: 'closed' }, '订单已关闭', '没有扣款', 'again open'],
}
for (const [name, [given, sentence, hint, acts, waited]] of Object.entries(PAYMENTS)) {
  test(`payment: ${name}`, () => {
    const shown = payment.viewOf(result(given), page({ role: 'member' }), NOW, { ...WAITED, ...waited })
    shows(shown, sentence, hint, acts)
    assert.ok(!`${shown.sentence}${shown.hint}`.includes('失败'))
  })
}

test('payment: a sheet that refuses asks for another way, a sheet that was closed says nothing', () => {
  assert.match(payment.troubleOf('refused'), /换一种方式付款/)
  for (const outcome of ['asked', 'cancelled', 'left']) assert.equal(payment.troubleOf(outcome), '')
})

const ORDERS = {
  'unpaid': [{ status: 'pending' }, '', 'due'],
  'unpaid, its time over': [{ status: 'pending', pay_by_s: NOW, actions: ['pay'] }, '超时', 'none'],
  'waits for its group': [{ group: { seats_missing: 2, seats_least: 0, tiers: [], expires_at_s: NOW + 9 } }, '还差 2 人', 'paid'],
  'waits for its deadline': [{ group: { ...assured, tiers: [], expires_at_s: NOW + 9 } }, '已满 2 人，到时成团；再来 1 人立即成团', 'paid'],
  'waits in a group with tiers': [
    { group: { ...tiered(1).progress, tiers: LADDER } }, '还差 1 人，到时满 2 人就成团；再来 4 人，每件返 ¥4', 'paid'],
  'waits in one that has come to a tier': [
    { group: { ...tiered(5).progress, tiers: LADDER } }, '已满 5 人，到时成团每件返 ¥4；再来 5 人立即成团，每件再返 ¥6', 'paid'],
  'to be sent': [{ status: 'fulfilling' }, '发', 'paid'],
  'to be collected': [{ status: 'fulfilling', delivery: 'pickup' }, '备货', 'paid'],
  'on its way': [{ status: 'shipped', receive_by_s: NOW + 9 }, '自动确认', 'paid'],
  'done': [{ status: 'completed' }, '完成', 'paid'],
  'closed unpaid': [{ status: 'closed' }, '没有付款', 'none'],
  'closed by the shop': [{ status: 'closed' }, '缺货', 'none', '缺货'],
  'being refunded': [{ status: 'refunding', refunds: [REFUND] }, '¥29.90', 'paid'],
  'refunded': [{ status: 'refunded', refunds: [{ ...REFUND, arrived_at_s: NOW }] }, '¥29.90', 'paid'],
}
for (const [name, [given, sentence, due, closed = '']] of Object.entries(ORDERS)) {
  test(`order: ${name}`, () => {
    const it = orderOf(given)
    const said = order.sentenceOf(it, closed, NOW)
    assert.ok(sentence ? said.includes(sentence) : said === '', said)
    assert.equal(order.dueOf(it, NOW), due)
    if (due === 'none') assert.deepEqual(order.actsOf(it, NOW), [])
  })
}

test('order: what goes back of it is told, a refund is not taken for that', () => {
  const rebate = { ...REBATE, amount_fen: 400 }
  const told = (refunds) => order.rebateWords(orderOf({ status: 'fulfilling', refunds }))
  assert.equal(told([{ ...REBATE, arrived_at_s: NOW }, { ...REBATE, amount_fen: 600 }]), '¥16.00 返还处理中')
  assert.equal(told([rebate]), '¥4.00 返还处理中')
  assert.equal(told([REFUND, { ...rebate, arrived_at_s: NOW }]), '已返还 ¥4.00')
  assert.equal(told([REFUND]), '')
})

test('a crowd says how many have bought, what they reached and what comes next', () => {
  const said = (seats, is_over = false) => crowd.standingOf({ tiers: LADDER, seats, is_over })
  assert.equal(said(0), '满 5 人每件返 ¥4')
  assert.equal(said(3), '已有 3 人拼成，满 5 人每件返 ¥4')
  assert.equal(said(8), '已有 8 人拼成，满 10 人每件再返 ¥6')
  assert.equal(said(12), '已有 12 人拼成，已到最低价，每件返 ¥10')
  assert.equal(said(3, true), '共 3 人拼成，没有达到返还的人数')
  assert.equal(said(8, true), '共 8 人拼成，每件返 ¥4')
  assert.equal(crowd.backFen([REFUND, REBATE, { ...REBATE, amount_fen: 600 }]), 1600)
})

function shows(view, sentence, hint, acts) {
  assert.equal(view.sentence, sentence)
  assert.ok(view.hint.includes(hint), view.hint)
  assert.equal(view.acts.join(' '), acts)
}

test('payment: what comes with the receipt is told once nothing is waited for', () => {
  const coming = (given) => payment.viewOf(result(given), page({ role: 'member' }), NOW, WAITED).coming
  const of = { status: 'fulfilling', points_to_come: 29 }
  assert.equal(coming({ group: { status: 'formed' }, order: of }), '收货后得 29 积分')
  assert.equal(coming({ group: null, order: { ...of, group_id: null, delivery: 'pickup' } }), '取货后得 29 积分')
  assert.equal(coming({ order: of }), undefined)
})

const POINTS = {
  'none': [{}, ''],
  'used, and to come': [{ points_used: 1500, points_to_come: 59 }, '用了 1,500 积分 | 收货后得 59 积分'],
  'a part came back': [{ points_used: 500, points_back: 158, points_earned: 54 }, '用了 500 积分 已退 158 | 已得 54 积分'],
  'all came back': [{ points_used: 500, points_back: 500 }, '用了 500 积分 已退回'],
  'not paid in time': [{ status: 'pending', pay_by_s: NOW, points_to_come: 59 }, ''],
}
for (const [name, [given, said]] of Object.entries(POINTS)) {
  test(`order: points, ${name}`, () => {
    const lines = order.pointsLines(orderOf(given), NOW).map(({ label, value }) => `${label} ${value}`.trim())
    assert.equal(lines.join(' | '), said)
  })
}

test('after-sale: points come back by the share of the money, to the last one', () => {
  const of = { points_used: 2000, total_fen: 7900 }
  const asked = (amount_fen) => ({ amount_fen, is_surplus: false, rebate_text: '' })
  const first = claim.pointsWith(2500, 0, { refundable_fen: 7900, units_left: 2 }, orderOf(of))
  assert.equal(first, 632)
  const rest = orderOf({ ...of, points_back: first, refunds: [asked(2500), { ...asked(7900), is_surplus: true }] })
  const left = { refundable_fen: 5400, units_left: 2 }
  assert.equal(claim.pointsWith(5400, 0, left, rest), 1368)
  assert.equal(claim.pointsWith(100, 2, left, rest), 1368) // all of the goods go back
  assert.equal(claim.pointsWith(100, 1, left, rest), 26)
})

test('after-sale: units of a points offer bring their points, or the money its share, if that is more', () => {
  const of = orderOf({ points_used: 1800, total_fen: 300, quantity: 3, for_points: true })
  const left = { refundable_fen: 300, units_left: 3 }
  assert.equal(claim.pointsWith(1, 1, left, of), 600)
  assert.equal(claim.pointsWith(150, 0, left, of), 900)
  assert.equal(claim.pointsWith(150, 0, left, { ...of, points_back: 600, refunds: [] }), 300)
})

test('after-sale: each unit is suggested its share of what is left, and the last one all of it', () => {
  const left = [{ refundable_fen: 10001, units_left: 3 }, { refundable_fen: 6668, units_left: 2 }, { refundable_fen: 3334, units_left: 1 }]
  assert.deepEqual(left.map((one) => claim.shareOf(one, 1)), ['33.33', '33.34', '33.34'])
  assert.equal(claim.shareOf(left[1], 2), '66.68')
})

const STEPS = [{ no: 1, name: '银卡会员', from_growth: 100 }, { no: 2, name: '金卡会员', from_growth: 500 }]
const nextTo = (at, missing) => ({ ...STEPS[at], missing, words: `还差 ¥${missing} 升级` })
const LEVELS = {
  'nobody yet': [{ growth: 38, no: 0, next: nextTo(0, 62) }, '还差 ¥62 升级到银卡会员', 38],
  'on the way from the first': [{ growth: 462, no: 1, next: nextTo(1, 38) }, '还差 ¥38 升级到金卡会员', 90],
  'the highest': [{ growth: 500, no: 2, next: null }, '已是最高等级', 100],
}
for (const [name, [given, words, way]] of Object.entries(LEVELS)) {
  test(`level: ${name}`, () => {
    const own = { on: true, levels: STEPS, ...given }
    assert.deepEqual([level.nextWords(own), level.wayOf(own)], [words, way])
  })
}

const at = (no, price_fen) => ({ no, name: STEPS[no - 1].name, price_fen })
const forMembers = { ...sold, member_prices: [at(1, 2850), at(2, 2600)], solo_member_prices: [at(1, 3900), at(2, 3700)] }
const MEMBER_PRICES = {
  'in a group': [[forMembers], 'join', '银卡会员 ¥28.50 · 金卡会员 ¥26'],
  'of who opens it, whose price is lower than that of silver': [[forMembers], 'open', '金卡会员 ¥26'],
  'alone': [[forMembers], 'alone', '银卡会员 ¥39 · 金卡会员 ¥37'],
  'not for every SKU': [[forMembers, { ...forMembers, member_prices: [at(2, 2700)] }], 'join', '银卡会员 ¥28.50 起 · 金卡会员 ¥26 起'],
  'the same for both levels': [[{ ...forMembers, member_prices: [at(1, 2600), at(2, 2600)] }], 'join', '银卡会员及以上 ¥26'],
  'where there are none': [[{ ...sold, member_prices: [], solo_member_prices: [] }], 'join', ''],
}
for (const [name, [skus, way, words]] of Object.entries(MEMBER_PRICES)) {
  test(`member prices: ${name}`, () => assert.equal(choice.memberPricesInWords(skus, way), words))
}

test('level: a birthday is a month and a day', () => {
  const typed = [['5', '20'], ['02', '29'], ['13', '1'], ['1', '32'], ['', '3'], ['五', '20']]
  assert.deepEqual(typed.map(([month, day]) => level.birthdayIn(month, day)), [{ month: 5, day: 20 }, { month: 2, day: 29 }, null, null, null, null])
})
