/** What a form page reads before it can be filled in; and again, when that failed or has grown old. */
import { onMounted, ref, type Ref } from 'vue'
import { wordsOf } from '@/api/errors'
import type { Form } from './useForm'

export interface Load {
  isLoading: Ref<boolean>
  loadTrouble: Ref<string>
  load: () => Promise<void>
}

/** read: brings what is stored into the form, first when the page is there. May throw ApiError. */
export function useLoad(form: Form, read: () => Promise<void>): Load {
  const isLoading = ref(true)
  const loadTrouble = ref('')

  async function load(): Promise<void> {
    isLoading.value = true
    loadTrouble.value = ''
    try {
      await read()
      form.isStale.value = false
      form.trouble.value = ''
    } catch (error) {
      loadTrouble.value = wordsOf(error)
    } finally {
      isLoading.value = false
    }
  }

  onMounted(load)
  return { isLoading, loadTrouble, load }
}
