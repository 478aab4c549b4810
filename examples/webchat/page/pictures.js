// Pictures: made small enough to be sent.

import { PICTURES } from './message.js';

/** Sides and qualities to try, until it is small enough. */
const SIZES = [[1_280, 0.8], [1_280, 0.6], [960, 0.6], [640, 0.6], [320, 0.5]];

/** Why a file cannot be sent: `noPicture` or `tooLarge`. */
export class Unfit extends Error {}

/** The file unchanged, if it can be sent, otherwise a smaller JPEG. */
export async function makeFit(file, limit) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) throw new Unfit('noPicture');
  if (PICTURES.includes(file.type) && file.size <= limit) return file;
  // A JPEG would not be animated.
  if (file.type === 'image/gif') throw new Unfit('tooLarge');
  for (const [side, quality] of SIZES) {
    const blob = await toJpeg(bitmap, side, quality);
    if (blob && blob.size <= limit) return blob;
  }
  throw new Unfit('tooLarge');
}

function toJpeg(bitmap, side, quality) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d');
  // Transparent areas would be black.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, 'image/jpeg', quality));
}
