// The chat server: signing in, sending, and fetching missed messages.

/** The server itself waits five seconds for the broker. */
const PATIENCE = 12_000;
/** For pictures, over a slow line. */
const MUCH_PATIENCE = 60_000;

const TIMEOUT = 504;

/** That the server, or its broker, is not there. */
export const isAway = (status) => [0, 401, 502, 503, TIMEOUT].includes(status);

/** What the connection is, as far as such an answer tells. */
export const stateOf = (status) => (status === TIMEOUT ? 'timeout' : 'offline');

/** An answer that is no success; `status` 0 stands for none at all. */
export class Refused extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

async function ask(path, { token, json, bytes, method = 'POST', patience = PATIENCE } = {}) {
  const headers = {};
  if (json) headers['content-type'] = 'application/json';
  if (bytes) headers['content-type'] = bytes.type;
  if (token) headers.authorization = `Bearer ${token}`;
  const body = bytes ?? (json && JSON.stringify(json));
  try {
    const response = await fetch(path, { method, headers, body, signal: AbortSignal.timeout(patience) });
    if (response.ok) return response;
    const { why = '' } = await response.json().catch(() => ({}));
    throw new Refused(response.status, why);
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(error.name === 'TimeoutError' ? TIMEOUT : 0, String(error));
  }
}

/** Says who we are: `{name, token, password, groups, port, max_text, max_picture}`. */
export const signIn = async (name) => (await ask('sign-in', { json: { name } })).json();

export const signOut = (token) => ask('sign-out', { token });

/** Comes back once the broker has acknowledged the message. */
export function send(token, { to, from, time, id, con, picture }) {
  if (!picture) return ask('send', { token, json: { to, con, from, time, id } });
  const envelope = new URLSearchParams({ to, from, time, id });
  return ask(`picture?${envelope}`, { token, bytes: picture, patience: MUCH_PATIENCE });
}

/**
 * The messages since the last time, pictures without their bytes, and whether the server has its broker:
 * `{last, messages, online}`.
 */
export const missed = async (token, after) => (await ask(`messages?after=${after}`, { token, method: 'GET' })).json();

/** The bytes of a picture. */
export async function picture(token, { from, id }) {
  const response = await ask(`picture?${new URLSearchParams({ from, id })}`, { token, method: 'GET', patience: MUCH_PATIENCE });
  return response.blob().catch((error) => {
    throw new Refused(0, String(error));
  });
}
