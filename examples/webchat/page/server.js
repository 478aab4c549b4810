// The chat server: signing in, sending, and fetching missed messages.

/** The server itself waits five seconds for the broker. */
const TIMEOUT = 12_000;
/** For pictures, over a slow link. */
const LONG_TIMEOUT = 60_000;

const GATEWAY_TIMEOUT = 504;

/** Whether the server, or its broker, is unreachable. */
export const isAway = (status) => [0, 401, 502, 503, GATEWAY_TIMEOUT].includes(status);

/** The state of the connection, as far as such an answer shows it. */
export const stateOf = (status) => (status === GATEWAY_TIMEOUT ? 'timeout' : 'offline');

/** An answer that is not a success; `status` 0 means that there was none. */
export class Refused extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

async function ask(path, { token, json, bytes, method = 'POST', timeout = TIMEOUT } = {}) {
  const headers = {};
  if (json) headers['content-type'] = 'application/json';
  if (bytes) headers['content-type'] = bytes.type;
  if (token) headers.authorization = `Bearer ${token}`;
  const body = bytes ?? (json && JSON.stringify(json));
  try {
    const response = await fetch(path, { method, headers, body, signal: AbortSignal.timeout(timeout) });
    if (response.ok) return response;
    const { why = '' } = await response.json().catch(() => ({}));
    throw new Refused(response.status, why);
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(error.name === 'TimeoutError' ? GATEWAY_TIMEOUT : 0, String(error));
  }
}

/** Signs in, and returns `{name, token, password, groups, port, max_text, max_picture}`. */
export const signIn = async (name) => (await ask('sign-in', { json: { name } })).json();

export const signOut = (token) => ask('sign-out', { token });

/** Returns once the broker has acknowledged the message. */
export function send(token, { to, from, time, id, con, picture }) {
  if (!picture) return ask('send', { token, json: { to, con, from, time, id } });
  const envelope = new URLSearchParams({ to, from, time, id });
  return ask(`picture?${envelope}`, { token, bytes: picture, timeout: LONG_TIMEOUT });
}

/**
 * The messages since the last time, pictures without their bytes, and whether the server is connected to its broker:
 * `{last, messages, online}`.
 */
export const missed = async (token, after) => (await ask(`messages?after=${after}`, { token, method: 'GET' })).json();

/** The bytes of a picture. */
export async function picture(token, { from, id }) {
  const response = await ask(`picture?${new URLSearchParams({ from, id })}`, { token, method: 'GET', timeout: LONG_TIMEOUT });
  return response.blob().catch((error) => {
    throw new Refused(0, String(error));
  });
}
