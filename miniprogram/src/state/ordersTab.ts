/** Which orders the tab of orders lists; a tab cannot be opened with a query. */
import { lastChosen } from './lastChosen'

export const ORDER_TABS = ['all', 'to_pay', 'waiting', 'to_ship', 'to_receive', 'after_sale'] as const
export type OrderTab = (typeof ORDER_TABS)[number]

export const ordersTab = lastChosen<OrderTab>('ordersTab', 'all')
