// Messages that we send: one after the other, so that they arrive in order, and again if one failed.

import { randomId } from './random.js';
import * as server from './server.js';

export class Outbox {
  #told;
  #queue = Promise.resolve();

  /** `told` has `token()`, `changed(message)`, and `failed(message, status)`. */
  constructor(told) {
    this.#told = told;
  }

  /** A message with the current time, to be sent; `content` has `con` or `type` and `picture`. */
  static compose(from, to, content) {
    return { from, to, time: Math.floor(Date.now() / 1_000), id: randomId(), ...content };
  }

  send(message) {
    message.state = 'sending';
    this.#told.changed(message);
    this.#queue = this.#queue.then(() => this.#deliver(message));
  }

  async #deliver(message) {
    // In a group it may already have come back to us.
    if (message.state === 'sent') return;
    try {
      await server.send(this.#told.token(), message);
      message.state = 'sent';
    } catch ({ status }) {
      if (message.state === 'sent') return;
      message.state = 'failed';
      message.why = status;
      this.#told.failed(message, status);
    }
    this.#told.changed(message);
  }
}
