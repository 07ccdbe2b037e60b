/** One action at a time, whatever is clicked; a repeat of the same content is the same action. */
import { ref } from 'vue'

export function useSubmit() {
  const isBusy = ref(false)
  let sent = ''
  let key = ''

  /** Run `action` with an Idempotency-Key that stays the same until `body` changes or it is done. */
  async function submit<T>(body: unknown, action: (key: string) => Promise<T>): Promise<T | undefined> {
    if (isBusy.value) return undefined
    const content = JSON.stringify(body)
    if (content !== sent) [sent, key] = [content, crypto.randomUUID()]
    isBusy.value = true
    try {
      const done = await action(key)
      sent = ''
      return done
    } finally {
      isBusy.value = false
    }
  }

  return { isBusy, submit }
}
