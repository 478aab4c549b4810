// Messages as received: one line of JSON; for a picture, followed by a line feed and its bytes.

export const PICTURES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];
const LINE_FEED = 10;

/** A message from the broker, in the form of `fromObject`; a picture's bytes are in `picture`. */
export function fromPayload(bytes) {
  const end = bytes.indexOf(LINE_FEED);
  const line = end < 0 ? bytes : bytes.subarray(0, end);
  let message;
  try {
    message = fromObject(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line)));
  } catch {
    return null;
  }
  if (message?.type && end >= 0) message.picture = new Blob([bytes.subarray(end + 1)], { type: message.type });
  return message;
}

/**
 * `{from, to, time, id}` with `con` for a text or `type` for a picture; `null` if it is not a message. Only the server can
 * write to a topic of messages; nothing is taken for granted all the same.
 */
export function fromObject(object) {
  const { from, to, time, id, con, type } = object ?? {};
  if (![from, to, id].every((text) => typeof text === 'string') || !Number.isSafeInteger(time)) return null;
  if (typeof con === 'string') return { from, to, time, id, con };
  if (PICTURES.includes(type)) return { from, to, time, id, type };
  return null;
}

/** An identifier that no two messages share. */
export const keyOf = ({ from, id }) => `${from} ${id}`;
