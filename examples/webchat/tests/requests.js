// The page's requests to the server, made by hand.

import { request } from 'node:http';

const JSON_TYPE = { 'content-type': 'application/json' };

async function answer(response) {
  return { status: response.status, ...(await response.json().catch(() => ({}))) };
}

export async function signIn(url, name) {
  return answer(await fetch(`${url}sign-in`, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ name }) }));
}

const authorization = (token) => (token === undefined ? {} : { authorization: `Bearer ${token}` });

export async function signOut(url, token) {
  return answer(await fetch(`${url}sign-out`, { method: 'POST', headers: authorization(token) }));
}

export async function send(url, token, message) {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  return answer(await fetch(`${url}send`, { method: 'POST', headers: { ...JSON_TYPE, ...authorization(token) }, body }));
}

const pictureAddress = (url, envelope) => `${url}picture?${new URLSearchParams(envelope)}`;

export async function sendPicture(url, token, envelope, body) {
  const headers = { 'content-type': 'image/png', ...authorization(token) };
  return answer(await fetch(pictureAddress(url, envelope), { method: 'POST', headers, body }));
}

/**
 * Sends pieces until there is an answer, and returns it with the number of bytes sent; 0 is a connection that was closed before
 * the answer was seen. The server is not told how many bytes there will be.
 */
export function sendEndlessPicture(url, token, envelope) {
  return new Promise((done, failed) => {
    const ask = request(pictureAddress(url, envelope), { method: 'POST', headers: authorization(token) });
    let [sent, isOver] = [0, false];
    ask.on('response', ({ statusCode: status }) => {
      isOver = true;
      done({ status, sent });
      ask.destroy();
    });
    ask.on('error', ({ code }) => {
      isOver = true;
      if (['EPIPE', 'ECONNRESET'].includes(code)) done({ status: 0, sent });
      else failed(new Error(code));
    });
    const piece = Buffer.alloc(64 << 10);
    const write = () => {
      if (isOver) return;
      sent += piece.length;
      ask.write(piece, () => setImmediate(write));
    };
    write();
  });
}

export async function picture(url, token, { from, id }) {
  const response = await fetch(`${url}picture?${new URLSearchParams({ from, id })}`, { headers: authorization(token) });
  const type = response.headers.get('content-type');
  return { status: response.status, type, bytes: Buffer.from(await response.arrayBuffer()) };
}
