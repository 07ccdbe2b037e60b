/** Sheets of the first pages, fetched when they are first opened; vite.config.ts puts this in the place of their
 * imports. Mini-programs have their whole package from the start. */
import { defineComponent, h, nextTick, ref, shallowRef, type Component } from 'vue'
import { say } from '@/ask'
import { words } from '@/words'

export function later(fetch: () => Promise<{ default: Component }>) {
  const sheet = shallowRef<Component>()
  return defineComponent({
    inheritAttrs: false,
    setup(_, { attrs, slots }) {
      const isReady = ref(false)
      let isAsked = false

      /** It is there closed before it opens: so it comes up as others do, and notices that it is opened. */
      async function prepare(): Promise<void> {
        isAsked = true
        try {
          sheet.value ??= (await fetch()).default
          await nextTick()
          isReady.value = true
        } catch {
          isAsked = false
          say(words.noAnswer)
          ;(attrs.onClose as (() => void) | undefined)?.()
        }
      }

      return () => {
        if (attrs.open && !isAsked) void prepare()
        return sheet.value ? h(sheet.value, { ...attrs, open: Boolean(attrs.open) && isReady.value }, slots) : null
      }
    },
  })
}
