// A sitting, from signing in to signing out: it outlives lost connections, and restarts of the broker and the server.

import { Broker } from './broker.js';
import { fromObject } from './message.js';
import { Outbox } from './outbox.js';
import * as server from './server.js';
import { Talks } from './talks.js';

const PAUSE = 2_000;

const pause = () => new Promise((done) => setTimeout(done, PAUSE));

export class Sitting {
  #told;
  #outbox;
  #broker = null;
  /** The number of the newest message that the server has told us of. */
  #last = 0;
  #isComingBack = false;
  #hasEnded = false;

  /**
   * `who` is what the server said at signing in, `before` what the page kept when it was loaded again. `told` has
   * `isSeen(name)`, `state(name)`, `presence(talk)`, `came(message)` and `changed(message)`, `notSent(message, status)`,
   * and `expired()` for when our name is another's.
   */
  constructor(who, before, told) {
    this.who = who;
    this.talks = new Talks(who.name, who.groups, told.isSeen, before.read);
    this.talks.open = before.open ?? who.groups[0];
    this.#told = told;
    this.#outbox = new Outbox({
      token: () => this.who.token,
      changed: (message) => this.#changed(message),
      failed: (message, status) => this.#failed(message, status),
    });
  }

  get me() {
    return this.who.name;
  }

  /** From now on there is something to be told. */
  begin() {
    this.#broker?.end();
    this.#last = 0;
    this.#broker = new Broker(this.who, {
      state: (state) => this.#stateChanged(state),
      presence: (name, isHere) => this.#presenceChanged(name, isHere),
      message: (message) => this.#arrived(message),
      refused: () => this.#comeBack(),
    });
  }

  end() {
    this.#hasEnded = true;
    this.#broker?.end();
    this.talks.end();
  }

  /** Sends `{con}` or `{type, picture}`. */
  write(to, content) {
    const message = Outbox.compose(this.me, to, content);
    this.talks.sending(message);
    this.#outbox.send(message);
  }

  sendAgain(message) {
    this.#outbox.send(message);
  }

  sendAllAgain(name) {
    this.talks.with(name).messages.filter(({ state }) => state === 'failed').forEach((message) => this.#outbox.send(message));
  }

  /** Gets a picture that did not come from the broker. */
  async load(message) {
    message.isMissing = false;
    this.#changed(message);
    try {
      message.picture = await server.picture(this.who.token, message);
    } catch {
      message.isMissing = true;
    }
    this.#changed(message);
  }

  #changed(message) {
    if (!this.#hasEnded) this.#told.changed(message);
  }

  #failed(message, status) {
    if (this.#hasEnded) return;
    this.#told.notSent(message, status);
    if (status === 401) this.#comeBack();
  }

  #stateChanged(state) {
    // With the next connection it is told anew.
    if (state === 'lost') this.talks.nobodyHere();
    this.#told.state(state);
    if (state === 'connected') this.#catchUp();
  }

  #presenceChanged(name, isHere) {
    const talk = this.talks.with(name);
    talk.isHere = isHere;
    this.#told.presence(talk);
  }

  #arrived(message) {
    const shown = this.talks.receive(message);
    if (!shown) return;
    this.#told.came(shown);
    if (shown.type && !shown.picture) this.load(shown);
  }

  /** What was said while we were not connected is with the server. */
  async #catchUp() {
    const { token } = this.who;
    while (!this.#hasEnded && token === this.who.token) {
      const missed = await server.missed(token, this.#last).catch((refused) => refused);
      if (this.#hasEnded || token !== this.who.token) return;
      if (missed.messages) return this.#takeMissed(missed);
      if (missed.status === 401) return this.#comeBack();
      await pause();
    }
  }

  #takeMissed({ last, messages }) {
    this.#last = last;
    messages.map(fromObject).filter(Boolean).forEach((message) => this.#arrived(message));
    this.talks.messages.filter(({ isMissing }) => isMissing).forEach((message) => this.load(message));
  }

  /** The server or the broker does not know us any more, after a restart for instance: we try to be who we were. */
  async #comeBack() {
    if (this.#isComingBack) return;
    this.#isComingBack = true;
    const who = await this.#signInAgain();
    this.#isComingBack = false;
    if (this.#hasEnded) {
      if (who) await server.signOut(who.token).catch(() => {});
    } else if (who) {
      this.who = who;
      this.begin();
    } else {
      this.#told.expired();
    }
  }

  /** Tries until there is an answer; `null`: the name is another's. */
  async #signInAgain() {
    while (!this.#hasEnded) {
      try {
        return await server.signIn(this.me);
      } catch ({ status }) {
        if (status === 409) return null;
        await pause();
      }
    }
    return null;
  }
}
