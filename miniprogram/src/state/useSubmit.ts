/** One action at a time, whatever is tapped; a repeat of the same content is the same action. */
import { ref } from 'vue'
import { keep, kept, randomId } from './storage'

interface Sent {
  content: string
  key: string
}

/** name: of the action. Its key outlives the page: an answer that was lost is asked for again under it. */
export function useSubmit(name: string) {
  const isBusy = ref(false)

  /** Run `action` with an Idempotency-Key that stays the same until `content` changes or it is done. */
  async function submit<T>(content: unknown, action: (key: string) => Promise<T>): Promise<T | undefined> {
    if (isBusy.value) return undefined
    const text = JSON.stringify(content)
    const before = kept<Sent>(`sent.${name}`)
    const sent = before?.content === text ? before : { content: text, key: randomId() }
    keep(`sent.${name}`, sent)
    isBusy.value = true
    try {
      const done = await action(sent.key)
      keep(`sent.${name}`, null)
      return done
    } finally {
      isBusy.value = false
    }
  }

  return { isBusy, submit }
}
