/** Answers can overtake each other: only the one to the last question counts. */

/** Begin a question; the returned function tells whether it is still the last one. */
export function useLatest(): () => () => boolean {
  let asked = 0
  return () => {
    const turn = ++asked
    return () => turn === asked
  }
}
