/** What a form page keeps in mind: what was changed, what is wrong, and that nothing gets lost. */
import { computed, onBeforeUnmount, onMounted, ref, watch, type InjectionKey, type Ref } from 'vue'
import { onBeforeRouteLeave } from 'vue-router'
import { ApiError, wordsOf, type Problem } from '@/api/errors'
import { useSubmit } from '@/stores/submit'

/** How many files are being uploaded into a form page: it is not saved before they are in it. */
export const UPLOADS: InjectionKey<Ref<number>> = Symbol('uploads')

export interface Form {
  isBusy: Ref<boolean>
  isChanged: Ref<boolean>
  problems: Ref<Problem[]>
  /** Why the last attempt failed, where no field is to blame. */
  trouble: Ref<string>
  /** Somebody else saved in the meantime: what stands here is older than what is stored. */
  isStale: Ref<boolean>
  /** What is wrong with the field; empty when nothing is. */
  at: (field: string) => string
  /** Show what `check` finds, each until it is mended; true when there is nothing. */
  passes: (check: () => Problem[]) => boolean
  /** The content as it is now is what is stored. */
  settle: () => void
  save: <T>(body: unknown, action: (key: string) => Promise<T>) => Promise<T | undefined>
  isLeaving: Ref<boolean>
  stay: () => void
  leave: () => void
}

/** content: all that the form holds; a difference from what was settled is an unsaved change. */
export function useForm(content: () => unknown): Form {
  const problems = ref<Problem[]>([])
  const trouble = ref('')
  const isStale = ref(false)
  const written = computed(() => JSON.stringify(content()))
  const settled = ref(written.value)
  const isChanged = computed(() => written.value !== settled.value)
  const isLeaving = ref(false)
  const { isBusy, submit } = useSubmit()
  let decide: ((leaves: boolean) => void) | undefined
  let look: (() => Problem[]) | undefined // while what is shown is what it found

  watch(written, () => {
    if (!look || !problems.value.length) return
    const told = new Set(problems.value.map(({ field }) => field))
    problems.value = look().filter(({ field }) => told.has(field))
  })

  async function save<T>(body: unknown, action: (key: string) => Promise<T>): Promise<T | undefined> {
    look = undefined
    problems.value = []
    trouble.value = ''
    try {
      return await submit(body, action)
    } catch (error) {
      problems.value = error instanceof ApiError ? error.problems : []
      isStale.value = error instanceof ApiError && error.code === 'changed'
      if (!problems.value.length) trouble.value = wordsOf(error)
      return undefined
    }
  }

  function answer(leaves: boolean): void {
    isLeaving.value = false
    decide?.(leaves)
  }

  const warn = (event: BeforeUnloadEvent) => {
    if (isChanged.value) event.preventDefault()
  }
  onMounted(() => window.addEventListener('beforeunload', warn))
  onBeforeUnmount(() => window.removeEventListener('beforeunload', warn))
  onBeforeRouteLeave(() => {
    if (!isChanged.value) return true
    isLeaving.value = true
    return new Promise<boolean>((resolve) => (decide = resolve))
  })

  return {
    isBusy,
    isChanged,
    problems,
    trouble,
    isStale,
    at: (field) => problems.value.find((it) => it.field === field)?.problem ?? '',
    passes: (check) => {
      look = check
      problems.value = check()
      trouble.value = ''
      return problems.value.length === 0
    },
    settle: () => (settled.value = written.value),
    save,
    isLeaving,
    stay: () => answer(false),
    leave: () => answer(true),
  }
}
