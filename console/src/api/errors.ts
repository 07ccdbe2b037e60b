import { t } from '@/words'

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

/** The refusal in an answer that is not 2xx; gateways' own bodies have no code. */
export async function refusalIn(answer: Response): Promise<ApiError> {
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>
  const { code, message, details } = body
  return new ApiError(
    answer.status,
    typeof code === 'string' ? code : 'internal_error',
    typeof message === 'string' && code ? message : t('error.internal'),
    (details ?? {}) as Record<string, unknown>,
  )
}

/** What to tell people about anything that was thrown. */
export function wordsOf(error: unknown): string {
  return error instanceof ApiError ? error.message : t('error.internal')
}
