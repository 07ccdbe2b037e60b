/** What can be done about an order, from its row and from its page. */
import { wordsOf } from '@/api/errors'
import { cancelOrder, confirmReceipt, urge, type OrderAct, type OrderRow } from '@/api/trade'
import { ask, say } from '@/ask'
import { toGoodsOf } from '@/goodsPage'
import { to } from '@/routes'
import { useSubmit } from '@/state/useSubmit'
import { words } from '@/words'
import { orderWords } from '@/words-order'
import { urgedOf } from './view'

/** reload: shows what has become of the order. */
export function useOrderActs(reload: () => Promise<void>) {
  const { isBusy, submit } = useSubmit('order')
  const says = orderWords

  async function change(order: OrderRow, act: OrderAct, action: () => Promise<unknown>, done: string): Promise<void> {
    try {
      if ((await submit([act, order.order_id], action)) && done) say(done)
    } catch (error) {
      say(wordsOf(error))
    }
    await reload()
  }

  async function cancel(order: OrderRow): Promise<void> {
    const isPending = order.status === 'pending'
    // A group is there for others once whoever opens it has paid.
    const holdsSeat = Boolean(order.group?.expires_at_s)
    const question = !isPending ? says.cancelGroupAsk : holdsSeat ? says.cancelAsk : says.cancelOwnAsk
    if (await ask(question, isPending ? says.do.cancel : words.group.do.cancel, says.cancelNo)) await change(order, 'cancel', () => cancelOrder(order.order_id), '')
  }

  async function receive(order: OrderRow): Promise<void> {
    if (!(await ask(says.receiveAsk, says.receiveYes, says.receiveNo))) return
    await change(order, 'receive', () => confirmReceipt(order.order_id), says.received)
  }

  async function perform(order: OrderRow, act: OrderAct): Promise<void> {
    const id = order.order_id
    switch (act) {
      case 'pay':
        return to('payment', { id })
      case 'invite':
        return to('group', { g: order.group_id ?? '' })
      case 'receive':
        return receive(order)
      case 'urge':
        return change(order, act, () => urge(id), urgedOf(order))
      case 'cancel':
        return cancel(order)
      case 'see_after_sale':
        return to('afterSale', { id })
      case 'ask_after_sale':
        return to('askAfterSale', { id })
      case 'buy_again':
        return toGoodsOf(order)
      case 'track':
      case 'pick_up':
      case 'see_refund':
        return to('order', { id })
    }
  }

  return { isBusy, perform }
}
