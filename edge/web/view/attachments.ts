/** Images on their way to a model: made small enough to travel in a message. */

export interface Attachment {
  name: string;
  /** A data address. */
  url: string;
}

const LONGEST_SIDE = 1280;
/** A message may have a megabyte; base64 takes a third more than the bytes. */
const MAX_CHARS = 600_000;

/** @throws Error when it is no image that can be read */
export async function readImage(file: File): Promise<Attachment> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  for (let factor = scale, quality = 0.85; ; factor *= 0.8, quality = 0.7) {
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(bitmap.width * factor));
    canvas.height = Math.max(1, Math.round(bitmap.height * factor));
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    // JPEG knows no transparency.
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const url = canvas.toDataURL('image/jpeg', quality);
    if (url.length <= MAX_CHARS) return { name: file.name, url };
  }
}
