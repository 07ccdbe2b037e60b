/** What buyers read of 万人团: comes with its card, which few pages have. */
import { yuan } from '@/format'

export const crowdWords = {
  standing: (seats: number, next: number, off: string, further: boolean) =>
    `${seats > 0 ? `已有 ${seats} 人拼成，` : ''}满 ${next} 人每件${further ? '再' : ''}返 ${off}`,
  lowest: (seats: number, off: string) => `已有 ${seats} 人拼成，已到最低价，每件返 ${off}`,
  ended: (seats: number, off: string) => `共 ${seats} 人拼成，每件返 ${off}`,
  endedBelow: (seats: number) => `共 ${seats} 人拼成，没有达到返还的人数`,
  back: (fen: number) => `你这单已返还 ${yuan(fen)}，原路退回`,
  how: (price: string) => `先付 ${price}。所有拼成的团一起算人数，每到一档，已拼成的人都退差价。`,
}
