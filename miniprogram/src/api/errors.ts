/** Any answer that is not what was asked for, in words that people can read. */
import { words } from '@/words'

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message)
  }

  /** What to change, by the path of the field in the body; empty when no field is to blame. */
  get problems(): Record<string, string> {
    const { problems, field } = this.details
    if (Array.isArray(problems)) {
      const listed = problems as { field: string; problem: string }[]
      return Object.fromEntries(listed.map((it) => [it.field, it.problem]))
    }
    return typeof field === 'string' && field ? { [field]: this.message } : {}
  }
}

export const noAnswer = () => new ApiError(0, 'no_answer', words.noAnswer)

/** The refusal in the body of an answer. What API Gateway itself refuses has no code of ours. */
export function refusalIn(status: number, body: unknown): ApiError {
  const { code, message, details } = (body ?? {}) as Record<string, unknown>
  return new ApiError(
    status,
    typeof code === 'string' ? code : 'internal_error',
    typeof message === 'string' && code ? message : words.internalError,
    (details ?? {}) as Record<string, unknown>,
  )
}

/** What to tell people about anything that was thrown. */
export const wordsOf = (error: unknown): string =>
  error instanceof ApiError ? error.message : words.internalError

export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof ApiError && codes.includes(error.code)
