// The chat server: signing in, sending, and what was missed.

const PATIENCE = 12_000;

/** An answer that is no success; `status` 0 stands for none at all. */
export class Refused extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

async function ask(path, { token, body, method = 'POST' } = {}) {
  const headers = { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    throw new Refused(0, String(error));
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, answer.why ?? '');
  return answer;
}

/** Says who we are: `{name, token, password, groups, port, max_text, max_picture}`. */
export const signIn = (name) => ask('sign-in', { body: { name } });

export const signOut = (token) => ask('sign-out', { token });

/** Comes back once the broker has acknowledged the message. */
export const send = (token, message) => ask('send', { token, body: message });

/** The messages since the last time: `{last, messages}`. */
export const missed = (token, after) => ask(`messages?after=${after}`, { token, method: 'GET' });
