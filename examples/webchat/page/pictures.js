// Pictures: made small enough to be sent, and shown only if they are some.

const SIDE = 1_280;
const AS_IT_IS = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/** A data URL of at most `limit` bytes of picture; `null` if it cannot be had. */
export async function shrink(file, limit) {
  if (AS_IT_IS.includes(file.type) && file.size <= limit) return toUrl(file);
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return null;
  for (const [side, quality] of [[SIDE, 0.85], [SIDE, 0.6], [SIDE / 2, 0.6], [SIDE / 4, 0.5]]) {
    const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', quality));
    if (blob && blob.size <= limit) return toUrl(blob);
  }
  return null;
}

function toUrl(blob) {
  return new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => done(null);
    reader.readAsDataURL(blob);
  });
}

export function isPicture(url) {
  return /^data:image\/(jpeg|png|gif|webp);base64,[A-Za-z0-9+/]+=*$/.test(url);
}
