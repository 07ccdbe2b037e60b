import { fieldWords } from '@/fields'
import { language, t } from '@/words'

/** One thing to change, and where: `field` is a path in the body, as in `skus[2].stock`. */
export interface Problem {
  field: string
  problem: string
}

/** Any answer that is not what was asked for. `message` is for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message)
  }

  /** What to change, each beside its field; empty when no field is to blame. */
  get problems(): Problem[] {
    const { problems, field } = this.details
    if (Array.isArray(problems)) return problems as Problem[]
    return typeof field === 'string' && field ? [{ field, problem: this.message }] : []
  }
}

export const noAnswer = () => new ApiError(0, 'no_answer', t('error.noAnswer'))

/** The refusal in an answer that is not 2xx. The API gateway's own have no code, or both languages. */
export async function refusalIn(answer: Response): Promise<ApiError> {
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>
  const { code } = body
  const message = (language.value === 'en' && body.message_en) || body.message
  const details = (body.details ?? {}) as Record<string, unknown>
  return new ApiError(
    answer.status,
    typeof code === 'string' ? code : 'internal_error',
    typeof message === 'string' && code ? named(message, details.field) : t('error.internal'),
    details,
  )
}

/** A message that calls a field by its path in the body calls it by what people read beside it. */
function named(message: string, field: unknown): string {
  const name = typeof field === 'string' ? /(\w+)(?:\[\d+\])*$/.exec(field)?.[1] : undefined
  if (!name) return message
  return message.replace(`「${field}」`, `「${fieldWords(name)}」`).replace(`“${field}”`, `“${fieldWords(name)}”`)
}

/** What to tell people about anything that was thrown. */
export function wordsOf(error: unknown): string {
  return error instanceof ApiError ? error.message : t('error.internal')
}
