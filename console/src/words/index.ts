/** What the console says. Chinese is the first language; English has the same keys or is no build. */
import { ref, shallowRef } from 'vue'
import { zh } from './zh'

export type WordKey = keyof typeof zh
export type Words = Record<WordKey, string>
export type Language = 'zh' | 'en'

/** How pages and requests name a language. */
export const LOCALES: Readonly<Record<Language, string>> = { zh: 'zh-CN', en: 'en' }
const KEPT_AS = 'tuan.language'

export const language = ref<Language>('zh')
const words = shallowRef<Words>(zh)

/** The words for `key`, with `{name}` filled from `facts`; `{1}` is the words' own. */
export function t(key: WordKey, facts: Record<string, string | number> = {}): string {
  return words.value[key].replace(/\{([a-z]\w*)\}/g, (_, name: string) => String(facts[name] ?? ''))
}

export async function speak(chosen: Language): Promise<void> {
  language.value = chosen
  const spoken = chosen === 'en' ? (await import('./en')).en : zh
  if (language.value !== chosen) return // changed again while the words came
  words.value = spoken
  document.documentElement.lang = LOCALES[chosen]
  localStorage.setItem(KEPT_AS, chosen)
}

export const speakAsBefore = () => speak(localStorage.getItem(KEPT_AS) === 'en' ? 'en' : 'zh')
