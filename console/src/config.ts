/** What differs between stages. It is fetched when the console starts, so one build serves all. */
export interface Config {
  api: string
  /** Whose shop it is; left out where the console serves many, and people name theirs. */
  merchant_id?: string
  /** Where this shop's pictures are; no others are ever loaded. */
  media?: string
}

export const config: Config = { api: '' }

/** Throws when there is no usable config.json beside the page. */
export async function loadConfig(): Promise<void> {
  const answer = await fetch('./config.json', { cache: 'no-store' })
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`)
  const given = (await answer.json()) as Config
  if (!/^https?:\/\//.test(given.api)) throw new Error('config.json names no api')
  Object.assign(config, given, { api: given.api.replace(/\/+$/, '') })
}
