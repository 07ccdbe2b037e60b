/** The price of what the form says now; it is asked for once the buyer has stopped typing. */
import { ref, watch, type Ref } from 'vue'
import { wordsOf } from '@/api/errors'
import { quote, type Quote, type QuoteBody } from '@/api/trade'

const AFTER_MS = 400

/** wanted: null while something that the price depends on is missing. */
export function useQuote(wanted: Readonly<Ref<QuoteBody | null>>) {
  const price = ref<Quote | null>(null)
  const trouble = ref('')
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0

  async function ask(): Promise<void> {
    const body = wanted.value
    const mine = (turn += 1)
    if (!body) return
    try {
      const answer = await quote(body)
      if (mine === turn) price.value = answer
    } catch (error) {
      if (mine !== turn) return
      price.value = null
      trouble.value = wordsOf(error)
    }
  }

  watch(
    () => JSON.stringify(wanted.value),
    () => {
      clearTimeout(timer)
      turn += 1
      price.value = null
      trouble.value = ''
      timer = setTimeout(ask, AFTER_MS)
    },
    { immediate: true },
  )
  return { price, trouble, ask }
}
