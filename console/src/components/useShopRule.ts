/** One rule among a shop's settings in a form of its own, and the coupons that it may give. */
import { ElMessage } from 'element-plus'
import 'element-plus/theme-chalk/el-message.css'
import { reactive, shallowRef, type Ref } from 'vue'
import { listCoupons, type Coupon } from '@/api/coupons'
import type { Problem } from '@/api/errors'
import { changeSettings, readSettings, type Settings } from '@/api/shop'
import { allowed, may } from '@/stores/session'
import { t } from '@/words'
import { useForm, type Form } from './useForm'
import { useLoad, type Load } from './useLoad'

/** The rules that have a page. */
type Name = 'levels' | 'rewards' | 'invitations'

interface Drafts<N extends Name, D> {
  emptyDraft: () => D
  draftOf: (rule: Settings[N]) => D
  inputOf: (draft: D) => Settings[N]
  problemsOf: (draft: D) => Problem[]
}

interface ShopRule<D> extends Load {
  canManage: Ref<boolean>
  stored: Ref<Settings | null>
  coupons: Ref<Coupon[]>
  draft: D
  form: Form
  save: () => Promise<void>
}

export function useShopRule<N extends Name, D extends object>(name: N, drafts: Drafts<N, D>): ShopRule<D> {
  const stored = shallowRef<Settings | null>(null)
  const coupons = shallowRef<Coupon[]>([])
  const draft = reactive(drafts.emptyDraft()) as D
  const form = useForm(() => draft)

  function take(settings: Settings): void {
    stored.value = settings
    Object.assign(draft, drafts.draftOf(settings[name]))
    form.settle()
  }

  /** The rule can be written all the same where coupons cannot be read. */
  const loaded = useLoad(form, async () => {
    const [settings, listed] = await Promise.all([readSettings(), may('activities:view') ? listCoupons().catch(() => []) : []])
    coupons.value = listed
    take(settings)
  })

  async function save(): Promise<void> {
    const old = stored.value
    if (!old || !form.passes(() => drafts.problemsOf(draft))) return
    const { merchant_id: _, ...others } = old
    const body = { ...others, [name]: drafts.inputOf(draft) }
    const saved = await form.save(body, () => changeSettings(body))
    if (!saved) return
    take(saved)
    ElMessage.success(t('form.saved'))
  }

  return { ...loaded, canManage: allowed('settings:act'), stored, coupons, draft, form, save }
}
