/** What is wrong with a form: all of it is said when it is sent, and what is mended no longer. */
import { ref, watch, type Ref } from 'vue'

/** find: what is wrong now, by field. What a server found besides is said until anything changes. */
export function useProblems<P extends object>(find: () => P) {
  const problems = ref({}) as Ref<P>

  /** True when nothing is wrong. */
  function check(): boolean {
    problems.value = find()
    return Object.keys(problems.value).length === 0
  }

  watch(find, (left) => {
    const still = Object.entries(problems.value).filter(([field]) => left[field as keyof P])
    problems.value = Object.fromEntries(still) as P
  })
  return { problems, check }
}
