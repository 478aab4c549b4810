// A sitting, from signing in to signing out: it outlives lost connections, and restarts of the broker and the server.

import { Broker } from './broker.js';
import { fromObject } from './message.js';
import { Outbox } from './outbox.js';
import * as server from './server.js';
import { Talks } from './talks.js';

const PAUSE = 1_000;

const pause = () => new Promise((done) => setTimeout(done, PAUSE));

export class Sitting {
  #told;
  #outbox;
  #broker = null;
  /** The number of the newest message that the server has reported. */
  #last = 0;
  /** Counts the connections: work begun on an earlier one is not continued. */
  #turn = 0;
  #isComingBack = false;
  #hasEnded = false;
  /**
   * The only record of the connection's state: `connecting` for the first time, `online`, `offline`, or `timeout` if there are
   * no answers. Being online takes both routes, the one from the broker and the one through the server.
   */
  state = 'connecting';

  /**
   * `who` is the server's answer to signing in, `before` what the page stored when it was reloaded. `told` has
   * `isSeen(name)`, `state()`, `presence(talk)`, `came(message)` and `changed(message)`, `refused(message, status)`,
   * and `expired()` for when our name belongs to somebody else.
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

  /** From now on changes are reported. */
  begin() {
    this.#broker?.end();
    this.#last = 0;
    this.#broker = new Broker(this.who, {
      proven: () => this.#proven(),
      lost: (state) => this.#lost(state),
      presence: (name, isHere) => this.#presenceChanged(name, isHere),
      message: (message) => this.#arrived(message),
      refused: () => this.#comeBack(),
    });
  }

  end() {
    this.#hasEnded = true;
    this.#turn += 1;
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

  /** All messages that were not sent because of the connection. */
  sendAllAgain() {
    this.talks.notSent.forEach((message) => this.#outbox.send(message));
  }

  /** Fetches a picture that did not come from the broker. */
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
    if (!server.isAway(status)) return this.#told.refused(message, status);
    // A request that hangs is still hanging when the server has given it up.
    this.#lost(this.state === 'timeout' ? 'timeout' : server.stateOf(status));
    if (status === 401) this.#comeBack();
    else this.#broker.prove();
  }

  /** The route from the broker works; next, the one through the server. */
  #proven() {
    this.talks.presenceTold();
    this.#catchUp();
  }

  #lost(state) {
    this.#turn += 1;
    const isNew = this.talks.presenceLost() || state !== this.state;
    if (isNew) this.#show(state);
  }

  #show(state) {
    this.state = state;
    this.#told.state();
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

  /** Messages from while we were offline are on the server, which knows whether it is connected to its broker. */
  async #catchUp() {
    for (const turn = (this.#turn += 1); turn === this.#turn; await pause()) {
      const missed = await server.missed(this.who.token, this.#last).catch((refused) => refused);
      if (turn !== this.#turn) return;
      if (missed.status === 401) return this.#comeBack();
      if (missed.messages) this.#takeMissed(missed);
      if (missed.online) return this.#show('online');
    }
  }

  #takeMissed({ last, messages }) {
    this.#last = last;
    messages.map(fromObject).filter(Boolean).forEach((message) => this.#arrived(message));
    this.talks.messages.filter(({ isMissing }) => isMissing).forEach((message) => this.load(message));
  }

  /** The server or the broker no longer knows us, for instance after a restart: tries to sign in under the same name. */
  async #comeBack() {
    if (this.#isComingBack) return;
    this.#isComingBack = true;
    this.#lost('offline');
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

  /** Tries until there is an answer; `null` if the name belongs to somebody else. */
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
