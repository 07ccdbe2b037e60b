/** Every page, once: its address, its title, where it stands in the navigation. */
import { ElMessage } from 'element-plus'
import 'element-plus/theme-chalk/el-message.css'
import { createRouter, createWebHashHistory, type RouteRecordRaw } from 'vue-router'
import AppFrame from './components/AppFrame.vue'
import { loadConfig } from './config'
import { readMe } from './api/me'
import { may, session, update, type Right } from './stores/session'
import type { TodoKind } from './stores/todo'
import { t, type WordKey } from './words'

declare module 'vue-router' {
  interface RouteMeta {
    title?: WordKey
    /** The entry of the navigation that is lit on this page; its own name when it is an entry. */
    under?: string
    /** What it needs; nothing when left out. */
    right?: Right
  }
}

const pages: RouteRecordRaw[] = [
  {
    path: '',
    name: 'home',
    component: () => import('./pages/home/HomePage.vue'),
    meta: { title: 'nav.home' },
  },
  {
    path: 'products',
    name: 'products',
    component: () => import('./pages/products/ProductsPage.vue'),
    meta: { title: 'nav.products', right: 'goods:view' },
  },
  {
    path: 'products/new',
    name: 'product-new',
    component: () => import('./pages/products/ProductPage.vue'),
    meta: { title: 'product.new', under: 'products', right: 'goods:act' },
  },
  {
    path: 'products/:product_id',
    name: 'product',
    component: () => import('./pages/products/ProductPage.vue'),
    meta: { title: 'product.edit', under: 'products', right: 'goods:view' },
  },
  {
    path: 'categories',
    name: 'categories',
    component: () => import('./pages/categories/CategoriesPage.vue'),
    meta: { title: 'nav.categories', right: 'goods:view' },
  },
  {
    path: 'activities',
    name: 'activities',
    component: () => import('./pages/activities/ActivitiesPage.vue'),
    meta: { title: 'nav.activities', right: 'activities:view' },
  },
  {
    path: 'activities/new',
    name: 'activity-new',
    component: () => import('./pages/activities/ActivityPage.vue'),
    meta: { title: 'activity.new', under: 'activities', right: 'activities:act' },
  },
  {
    path: 'activities/:activity_id',
    name: 'activity',
    component: () => import('./pages/activities/ActivityPage.vue'),
    meta: { title: 'activity.edit', under: 'activities', right: 'activities:view' },
  },
  {
    path: 'activities/:activity_id/spread',
    name: 'activity-spread',
    component: () => import('./pages/spread/SpreadPage.vue'),
    meta: { title: 'spread.title', under: 'activities', right: 'activities:view' },
  },
  {
    path: 'groups',
    name: 'groups',
    component: () => import('./pages/groups/GroupsPage.vue'),
    meta: { title: 'nav.groups', right: 'activities:view' },
  },
  {
    path: 'groups/:group_id',
    name: 'group',
    component: () => import('./pages/groups/GroupPage.vue'),
    meta: { title: 'group.title', under: 'groups', right: 'activities:view' },
  },
  {
    path: 'coupons',
    name: 'coupons',
    component: () => import('./pages/coupons/CouponsPage.vue'),
    meta: { title: 'nav.coupons', right: 'activities:view' },
  },
  {
    path: 'coupons/new',
    name: 'coupon-new',
    component: () => import('./pages/coupons/CouponPage.vue'),
    meta: { title: 'coupon.new', under: 'coupons', right: 'activities:act' },
  },
  {
    path: 'points-offers',
    name: 'points-offers',
    component: () => import('./pages/offers/OffersPage.vue'),
    meta: { title: 'offer.many', under: 'coupons', right: 'activities:view' },
  },
  {
    path: 'points-offers/new',
    name: 'points-offer-new',
    component: () => import('./pages/offers/OfferPage.vue'),
    meta: { title: 'offer.new', under: 'coupons', right: 'activities:act' },
  },
  {
    path: 'coupons/:coupon_template_id',
    name: 'coupon',
    component: () => import('./pages/coupons/CouponPage.vue'),
    meta: { title: 'coupon.edit', under: 'coupons', right: 'activities:view' },
  },
  {
    path: 'levels',
    name: 'levels',
    component: () => import('./pages/levels/LevelsPage.vue'),
    meta: { title: 'nav.levels', right: 'settings:view' },
  },
  {
    path: 'orders',
    name: 'orders',
    component: () => import('./pages/orders/OrdersPage.vue'),
    meta: { title: 'nav.orders', right: 'orders:view' },
  },
  {
    path: 'orders/:order_id',
    name: 'order',
    component: () => import('./pages/orders/OrderPage.vue'),
    meta: { title: 'order.title', under: 'orders', right: 'orders:view' },
  },
  {
    path: 'members',
    name: 'members',
    component: () => import('./pages/members/MembersPage.vue'),
    meta: { title: 'nav.members', right: 'members:view' },
  },
  {
    path: 'members/:buyer_id',
    name: 'member',
    component: () => import('./pages/members/MemberPage.vue'),
    meta: { title: 'member.one', under: 'members', right: 'members:view' },
  },
  {
    path: 'member-tags',
    name: 'member-tags',
    component: () => import('./pages/members/MemberTagsPage.vue'),
    meta: { title: 'memberTag.title', under: 'members', right: 'members:view' },
  },
  {
    path: 'rewards',
    name: 'rewards',
    component: () => import('./pages/rewards/RewardsPage.vue'),
    meta: { title: 'reward.title', under: 'members', right: 'members:view' },
  },
  {
    path: 'reward-rule',
    name: 'reward-rule',
    component: () => import('./pages/rewards/RewardRulePage.vue'),
    meta: { title: 'reward.rule', under: 'members', right: 'settings:view' },
  },
  {
    path: 'invitations',
    name: 'invitations',
    component: () => import('./pages/rewards/InvitationsPage.vue'),
    meta: { title: 'invite.title', under: 'members', right: 'members:view' },
  },
  {
    path: 'invitation-rule',
    name: 'invitation-rule',
    component: () => import('./pages/rewards/InvitationRulePage.vue'),
    meta: { title: 'invite.rule', under: 'members', right: 'settings:view' },
  },
  {
    path: 'exports',
    name: 'exports',
    component: () => import('./pages/exports/ExportsPage.vue'),
    meta: { title: 'exports.title', under: 'orders', right: 'exports:act' },
  },
  {
    path: 'batch-shipping',
    name: 'batch-shipping',
    component: () => import('./pages/shipping/BatchPage.vue'),
    meta: { title: 'batch.title', right: 'shipping:act' },
  },
  {
    path: 'batch-shipping/history',
    name: 'shipping-batches',
    component: () => import('./pages/shipping/BatchesPage.vue'),
    meta: { title: 'batches.title', under: 'batch-shipping', right: 'shipping:act' },
  },
  {
    path: 'packing',
    name: 'packing',
    component: () => import('./pages/shipping/PackingPage.vue'),
    meta: { title: 'packing.title', under: 'orders', right: 'shipping:act' },
  },
  {
    path: 'pickups',
    name: 'pickups',
    component: () => import('./pages/delivery/PickupsPage.vue'),
    meta: { title: 'nav.pickups', right: 'pickup:act' },
  },
  {
    path: 'stores',
    name: 'stores',
    component: () => import('./pages/delivery/StoresPage.vue'),
    meta: { title: 'nav.stores', right: 'delivery:view' },
  },
  {
    path: 'freight',
    name: 'freight',
    component: () => import('./pages/delivery/FreightPage.vue'),
    meta: { title: 'nav.freight', right: 'delivery:view' },
  },
  {
    path: 'freight/new',
    name: 'freight-new',
    component: () => import('./pages/delivery/FreightTemplatePage.vue'),
    meta: { title: 'freight.new', under: 'freight', right: 'delivery:act' },
  },
  {
    path: 'freight/:template_id',
    name: 'freight-template',
    component: () => import('./pages/delivery/FreightTemplatePage.vue'),
    meta: { title: 'nav.freight', under: 'freight', right: 'delivery:view' },
  },
  {
    path: 'orders/:order_id/ledger',
    name: 'ledger',
    component: () => import('./pages/orders/LedgerPage.vue'),
    meta: { title: 'ledger.title', under: 'orders', right: 'refunds:view' },
  },
  {
    path: 'after-sales',
    name: 'after-sales',
    component: () => import('./pages/refunds/AfterSalesPage.vue'),
    meta: { title: 'nav.afterSales', right: 'after_sales:view' },
  },
  {
    path: 'refunds',
    name: 'refunds',
    component: () => import('./pages/refunds/RefundsPage.vue'),
    meta: { title: 'nav.refunds', right: 'refunds:view' },
  },
  {
    path: 'reconciliations',
    name: 'reconciliations',
    component: () => import('./pages/money/ReconciliationsPage.vue'),
    meta: { title: 'nav.reconciliations', right: 'reconciliation:view' },
  },
  {
    path: 'differences',
    name: 'differences',
    component: () => import('./pages/money/DifferencesPage.vue'),
    meta: { title: 'nav.differences', right: 'reconciliation:view' },
  },
  {
    path: 'staff',
    name: 'staff',
    component: () => import('./pages/shop/StaffPage.vue'),
    meta: { title: 'nav.staff', right: 'staff:act' },
  },
  {
    path: 'payment-accounts',
    name: 'accounts',
    component: () => import('./pages/accounts/AccountsPage.vue'),
    meta: { title: 'nav.accounts', right: 'accounts:view' },
  },
  {
    path: 'payment-accounts/:method',
    name: 'account-edit',
    component: () => import('./pages/accounts/AccountEditPage.vue'),
    meta: { title: 'nav.accounts', under: 'accounts', right: 'accounts:act' },
  },
  {
    path: 'audit',
    name: 'audit',
    component: () => import('./pages/shop/AuditPage.vue'),
    meta: { title: 'nav.audit', right: 'audit:view' },
  },
  {
    path: 'account',
    name: 'account',
    component: () => import('./pages/account/AccountPage.vue'),
    meta: { title: 'account.title' },
  },
  {
    path: 'messages',
    name: 'messages',
    component: () => import('./pages/messages/MessagesPage.vue'),
    meta: { title: 'nav.messages', right: 'messages:view' },
  },
  {
    path: 'agreements',
    name: 'agreements',
    component: () => import('./pages/shop/AgreementsPage.vue'),
    meta: { title: 'nav.agreements', right: 'settings:view' },
  },
  {
    path: 'settings',
    name: 'settings',
    component: () => import('./pages/shop/SettingsPage.vue'),
    meta: { title: 'nav.settings', right: 'settings:view' },
  },
]

/** The navigation: groups of pages by name, with the badge of what waits there. */
export const NAVIGATION: { title?: WordKey; pages: { name: string; badge?: TodoKind }[] }[] = [
  { pages: [{ name: 'home' }] },
  { title: 'nav.group.goods', pages: [{ name: 'products' }, { name: 'categories' }] },
  { title: 'nav.group.groups', pages: [{ name: 'activities' }, { name: 'groups' }] },
  { title: 'nav.group.marketing', pages: [{ name: 'coupons' }, { name: 'members' }, { name: 'levels' }] },
  {
    title: 'nav.group.trade',
    pages: [
      { name: 'orders', badge: 'toShip' },
      { name: 'batch-shipping' },
      { name: 'pickups' },
      { name: 'after-sales', badge: 'afterSales' },
      { name: 'refunds', badge: 'refunds' },
    ],
  },
  { title: 'nav.group.delivery', pages: [{ name: 'stores' }, { name: 'freight' }] },
  {
    title: 'nav.group.money',
    pages: [{ name: 'reconciliations' }, { name: 'differences', badge: 'differences' }],
  },
  {
    title: 'nav.group.shop',
    pages: [{ name: 'staff' }, { name: 'accounts' }, { name: 'messages' }, { name: 'agreements' }, { name: 'audit' }, { name: 'settings' }],
  },
]

export const router = createRouter({
  history: createWebHashHistory(),
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? undefined : { top: 0 }),
  routes: [
    {
      path: '/login',
      name: 'login',
      component: () => import('./pages/login/LoginPage.vue'),
      meta: { title: 'login.title' },
    },
    { path: '/', component: AppFrame, children: pages },
    { path: '/:rest(.*)*', name: 'unknown', redirect: '/' },
  ],
})

const CLOSED_TOLD_MS = 8000

export const mayOpen = (right: Right | undefined) => !right || may(right)

/** Why somebody stands on the first page, and not where they wanted to be. */
export function tellClosed(title: WordKey | undefined): void {
  const page = t(title ?? 'nav.home')
  ElMessage.warning({ message: t('error.closed', { page }), duration: CLOSED_TOLD_MS, showClose: true })
}

router.beforeEach(async (to) => {
  if (to.name === 'login') return session.value ? { name: 'home' } : true
  if (!session.value) return { name: 'login', query: to.path === '/' ? {} : { to: to.fullPath } }
  const { token, rights } = session.value
  if (!rights) await readMe().then((me) => session.value?.token === token && update(me), () => {}) // kept by an older console
  if (!session.value) return { name: 'login' }
  if (to.redirectedFrom?.name === 'unknown') ElMessage.warning(t('error.noPage'))
  if (mayOpen(to.meta.right)) return true
  tellClosed(to.meta.title)
  return { name: 'home' }
})

// A page does not come when the network is down, and when the console was replaced since it was
// opened: then it is fetched anew, at the page that was asked for.
router.onError(async (_, to, from) => {
  const isReached = await loadConfig().then(() => true, () => false)
  if (isReached && from.matched.length) {
    window.history.replaceState(window.history.state, '', router.resolve(to.fullPath).href)
    window.location.reload()
  } else ElMessage.error(t('error.page'))
})
