/** Photos made small before they are uploaded: phones take 5 to 20 MB, the shop shows 1,600 pixels. */

const SIDE_MAX = 2000 // pixels of the longer side; the API keeps 1,600
const KEPT_BELOW = 1024 * 1024 // bytes; what is smaller goes as it is, if the API takes its type
const QUALITY = 0.9
const PAPER = '#fff' // what shows through where a picture is transparent

/** The browser cannot decode the file: no picture, or of a kind that it does not know (HEIC). */
export class NotDecoded extends Error {}

/** A file of one of `types` with the same picture, smaller when it is large. Throws NotDecoded. */
export async function shrunk(file: File, types: readonly string[]): Promise<Blob> {
  if (file.size <= KEPT_BELOW && types.includes(file.type)) return file
  const picture = await decoded(file)
  try {
    return await drawn(picture)
  } finally {
    picture.close()
  }
}

async function decoded(file: File): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch {
    throw new NotDecoded(file.name)
  }
}

async function drawn(picture: ImageBitmap): Promise<Blob> {
  const scale = Math.min(1, SIDE_MAX / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(picture.width * scale))
  canvas.height = Math.max(1, Math.round(picture.height * scale))
  const context = canvas.getContext('2d')
  if (!context) throw new NotDecoded()
  context.fillStyle = PAPER
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.imageSmoothingQuality = 'high'
  context.drawImage(picture, 0, 0, canvas.width, canvas.height)
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY))
  if (!blob) throw new NotDecoded()
  return blob
}
