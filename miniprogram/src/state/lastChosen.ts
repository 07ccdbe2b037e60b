/** What a list is filtered by: there again when the app was closed, or its page refreshed, for a while. */
import { ref, watch, type Ref } from 'vue'
import { serverNow } from './clock'
import { keep, kept } from './storage'

const KEPT_S = 1800 // as long as WeChat keeps an app that nobody looks at

export function lastChosen<T extends string>(name: string, usual: T): Ref<T> {
  const before = kept<{ choice: T; at_s: number }>(`chosen.${name}`)
  const choice = ref(before && serverNow() - before.at_s < KEPT_S ? before.choice : usual) as Ref<T>
  watch(choice, (given) => keep(`chosen.${name}`, { choice: given, at_s: serverNow() }))
  return choice
}
