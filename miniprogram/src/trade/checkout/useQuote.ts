/** The price of what the form says now; it is asked for once the buyer has stopped typing. */
import { computed, nextTick, ref, shallowRef, watch, type Ref } from 'vue'
import { hasCode, wordsOf } from '@/api/errors'
import type { PointsChoice } from '@/api/growth'
import { quote, type Quote, type QuoteBody } from '@/api/trade'
import { say } from '@/ask'

const AFTER_MS = 400

export type Wish = Omit<QuoteBody, 'coupon_id' | 'best_coupon' | 'points' | 'best_points'>

/** wanted: null while something that the price depends on is missing. */
export function useQuote(wanted: Readonly<Ref<Wish | null>>) {
  const price = ref<Quote | null>(null)
  const failure = shallowRef<unknown>(null)
  /** That the buyer chose; null: they want none; undefined: the best. */
  const coupon = ref<string | null>()
  /** Whether as many points as can be used are. */
  const usesPoints = ref(false)
  /** What points can do, as it was told last: their row stays while the price is asked for. */
  const points = ref<PointsChoice | null>(null)
  /** What a unit costs the buyer, whose price that is, and the size of the group that they open; they stay in the same way. */
  const unit = ref<{ fen: number; kind: Quote['unit_price_kind'] } | null>(null)
  const opensSeats = ref<number | null>(null)
  const asked = computed<QuoteBody | null>(
    () =>
      wanted.value && {
        ...wanted.value,
        coupon_id: coupon.value ?? null,
        best_coupon: coupon.value === undefined,
        points: 0,
        best_points: usesPoints.value,
      },
  )
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0

  async function ask(): Promise<void> {
    clearTimeout(timer)
    const body = asked.value
    const mine = (turn += 1)
    if (!body) return
    try {
      const answer = await quote(body)
      if (mine !== turn) return
      price.value = answer
      points.value = answer.points
      unit.value = { fen: answer.unit_price_fen, kind: answer.unit_price_kind }
      opensSeats.value = answer.opens_seats
      failure.value = null
    } catch (error) {
      if (mine !== turn) return
      price.value = null
      if (hasCode(error, 'coupon_refused')) return dropCoupon(error)
      failure.value = error
    }
  }

  /** Ask with that coupon, at once; null: with none; undefined: with the best. */
  async function chooseCoupon(coupon_id: string | null | undefined): Promise<void> {
    coupon.value = coupon_id
    await nextTick() // by then the watch below has set its timer
    await ask()
  }

  /** Ask with as many points as can be used, or with none, at once. */
  async function usePoints(use: boolean): Promise<void> {
    usesPoints.value = use
    await nextTick()
    await ask()
  }

  /** Say why the coupon was refused, and ask with the best of the others. */
  async function dropCoupon(refusal: unknown): Promise<void> {
    say(wordsOf(refusal))
    await chooseCoupon(undefined)
  }

  watch(
    () => JSON.stringify(asked.value),
    () => {
      clearTimeout(timer)
      turn += 1
      price.value = null
      failure.value = null
      timer = setTimeout(ask, AFTER_MS)
    },
    { immediate: true },
  )
  return { price, points, unit, opensSeats, usesPoints, failure, ask, chooseCoupon, dropCoupon, usePoints }
}
