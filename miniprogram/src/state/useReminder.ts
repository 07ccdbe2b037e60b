/** 到时提醒我: asked for with one tap, taken back with another. Who has to log in first comes back to the page,
 * and it is done. */
import { ref, type Ref } from 'vue'
import { wordsOf } from '@/api/errors'
import { addSubscriptions } from '@/api/me'
import { forget, remind, type Awaited, type ReminderOffer } from '@/api/reminders'
import { ask, say } from '@/ask'
import { platform } from '@/platform'
import { words } from '@/words'
import { now } from './clock'
import { ensureSession } from './login'
import { session } from './session'
import { keep, kept } from './storage'

const KEPT = 'asked.reminder'
const LOGIN_MAX_S = 600 // who comes back later may have thought better of it

interface Wanted {
  id: string
  at_s: number
}

/** offer: what the page has read; reload: reads it anew. */
export function useReminder(
  awaited: Awaited,
  id: () => string,
  offer: () => ReminderOffer | null | undefined,
  reload: () => Promise<void>,
): { isBusy: Ref<boolean>; press: () => Promise<void>; resumeAsking: () => Promise<void> } {
  const isBusy = ref(false)
  const says = words.reminder

  async function once(act: () => Promise<void>): Promise<void> {
    if (isBusy.value) return
    isBusy.value = true
    await act().catch((error: unknown) => say(wordsOf(error)))
    isBusy.value = false
    await reload()
  }

  async function set(): Promise<void> {
    // WeChat asks on a tap alone: before anything else is waited for.
    const templates = offer()?.subscribe ?? []
    const agreed = templates.length > 0 ? ((await platform.askToNotify?.(templates)) ?? []) : []
    keep(KEPT, { id: id(), at_s: now.value } satisfies Wanted)
    if (!(await ensureSession())) return
    keep(KEPT, null)
    await remind(awaited, id())
    if (agreed.length > 0) await addSubscriptions(agreed)
    say(agreed.length > 0 ? says.setInWechat : says.set)
  }

  async function takeBack(): Promise<void> {
    await forget(awaited, id())
    say(says.stopped)
  }

  async function press(): Promise<void> {
    if (!offer()?.is_set) return once(set)
    if (await ask(says.stopAsk[awaited], says.stop, says.keep)) await once(takeBack)
  }

  /** After a login that was asked for at the tap. */
  async function resumeAsking(): Promise<void> {
    if (!session.value || !offer()) return
    const wanted = kept<Wanted>(KEPT)
    if (wanted?.id !== id()) return
    keep(KEPT, null)
    if (offer()?.is_set || now.value - wanted.at_s > LOGIN_MAX_S) return
    await once(async () => {
      await remind(awaited, id())
      say(says.set)
    })
  }

  return { isBusy, press, resumeAsking }
}
