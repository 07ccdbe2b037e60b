/** English for what the API tells in Chinese beside a code. A code without English is told as it comes. */
import { language } from '.'

const ACTIONS: Readonly<Record<string, string>> = {
  activity_changed: 'Activity changed',
  activity_ended: 'Activity ended',
  activity_groups_closed: 'All groups of the activity closed',
  activity_paused: 'Activity paused',
  activity_published: 'Activity published',
  activity_resumed: 'Activity resumed',
  activity_stock_added: 'Stock added to the activity',
  address_changed: 'Delivery address changed',
  after_sale_approved: 'After-sale approved',
  after_sale_exchange_agreed: 'Exchange agreed to',
  after_sale_goods_received: 'Goods to exchange received',
  after_sale_handed_over: 'Replacement handed over',
  after_sale_refused: 'After-sale refused',
  after_sale_replacement_sent: 'Replacement sent',
  after_sale_return_agreed: 'Return of goods agreed to',
  category_changed: 'Category changed',
  category_created: 'Category created',
  category_removed: 'Category removed',
  freight_changed: 'Freight template changed',
  freight_created: 'Freight template created',
  freight_removed: 'Freight template removed',
  group_closed: 'Group closed',
  difference_dealt_with: 'Difference dealt with',
  export_asked: 'Data exported',
  export_fetched: 'Exported file downloaded',
  group_extended: 'Group extended',
  merchant_created: 'Shop opened',
  messages_changed: 'Message templates changed',
  order_closed: 'Unpaid order closed',
  order_handed_over: 'Pickup order handed over',
  order_noted: 'Note added to the order',
  order_price_lowered: 'Price of an order lowered',
  order_ready: 'Pickup order made ready',
  order_refunded: 'Refunded by the shop',
  order_shipped: 'Order shipped',
  parcel_corrected: 'Tracking number corrected',
  password_changed: 'Own password changed',
  password_reset: 'Password of staff reset',
  payment_account_changed: 'Payment or login account changed',
  payment_method_resumed: 'Payment method resumed',
  payment_method_stopped: 'Payment method stopped',
  product_changed: 'Product changed',
  product_created: 'Product created',
  product_shelved: 'Product put on sale',
  product_unshelved: 'Product taken off sale',
  recipient_seen: 'Recipient looked at',
  refund_outside: 'Refund paid outside put on record',
  refund_sent_again: 'Refund sent again',
  refund_stopped: 'Refund no longer tried by itself',
  statement_dealt_with: 'Refused notice dealt with',
  sessions_ended: 'Own sessions ended',
  settings_changed: 'Shop settings changed',
  staff_added: 'Staff added',
  staff_changed: 'Staff changed',
  stock_adjusted: 'Stock adjusted',
  store_changed: 'Pickup store changed',
  store_created: 'Pickup store created',
  store_removed: 'Pickup store removed',
  totp_added: 'Two-step verification turned on',
  totp_removed: 'Two-step verification turned off',
}

const AFTER_SALE_REASONS: Readonly<Record<string, string>> = {
  changed_mind: 'Changed their mind',
  wrong_order: 'Ordered by mistake',
  late: 'Not shipped in time',
  damaged: 'Spoiled or damaged',
  not_as_described: 'Not as described',
  missing: 'Units missing',
  other: 'Other',
}

const spoken = (english: Readonly<Record<string, string>>, code: string, chinese: string) =>
  language.value === 'en' ? (english[code] ?? chinese) : chinese

/** An action of the audit log, for people. */
export const actionWords = (action: string, chinese: string) => spoken(ACTIONS, action, chinese)

/** Why a buyer asks for after-sale, for people. */
export const reasonWords = (reason: string, chinese: string) => spoken(AFTER_SALE_REASONS, reason, chinese)
