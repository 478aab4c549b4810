/** 128 bits in hexadecimal. */
export function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The pause before the next attempt to connect, in milliseconds. It varies, so that not all pages return at the same moment. */
export const retryPause = () => 700 + Math.random() * 600;
