// What comes from the broker: messages, and who is here. It comes back by itself when it is lost.

/* global Paho */

import { fromPayload } from './message.js';
import { randomId } from './random.js';

const LEAST_DELAY = 400;
const GREATEST_DELAY = 5_000;
const KEEP_ALIVE = 15;

export class Broker {
  #who;
  #told;
  #client = null;
  #timer = 0;
  #failures = 0;
  #ended = false;

  /**
   * `who` is what the server said at signing in. `told` has `state(name)`, `message(message)`, `presence(name, isHere)`,
   * and `refused()` for when the broker does not know us any more.
   */
  constructor(who, told) {
    this.#who = who;
    this.#told = told;
    addEventListener('online', this.#hurry);
    this.#connect();
  }

  /** Goes, and says so. */
  end() {
    this.#ended = true;
    removeEventListener('online', this.#hurry);
    clearTimeout(this.#timer);
    try {
      this.#announce('');
      this.#client.disconnect();
    } catch {
      // It was not connected: the will has said it.
    }
  }

  #hurry = () => {
    if (this.#timer) this.#connect();
  };

  #connect() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#told.state('connecting');
    // Every connection has an identifier of its own: two with the same would push each other out.
    const client = new Paho.Client(location.hostname, this.#port(), '/mqtt', `page-${randomId().slice(0, 16)}`);
    this.#client = client;
    const isCurrent = () => client === this.#client && !this.#ended;
    client.onMessageArrived = (message) => isCurrent() && this.#arrived(message);
    client.onConnectionLost = () => isCurrent() && this.#lost();
    const will = new Paho.Message('off');
    will.destinationName = this.#presence();
    will.qos = 1;
    will.retained = true;
    client.connect({
      userName: this.#who.name,
      password: this.#who.password,
      mqttVersion: 4,
      cleanSession: true,
      keepAliveInterval: KEEP_ALIVE,
      timeout: 5,
      useSSL: location.protocol === 'https:',
      willMessage: will,
      onSuccess: () => isCurrent() && this.#subscribe(),
      onFailure: (error) => isCurrent() && (isRefusal(error) ? this.#told.refused() : this.#lost()),
    });
  }

  #port() {
    const own = location.port || (location.protocol === 'https:' ? 443 : 80);
    return Number(this.#who.port ?? own);
  }

  #presence() {
    return `presence/${this.#who.name}`;
  }

  #announce(word) {
    this.#client.send(this.#presence(), word, 0, true);
  }

  #subscribe() {
    this.#client.subscribe([this.#who.name, ...this.#who.groups, 'presence/+'], {
      qos: 1,
      timeout: 5,
      onSuccess: () => {
        this.#failures = 0;
        this.#announce('on');
        this.#told.state('connected');
      },
      onFailure: () => this.#lost(),
    });
  }

  #arrived(message) {
    const [, name] = /^presence\/(.*)$/s.exec(message.destinationName) ?? [];
    if (name === undefined) {
      const received = fromPayload(message.payloadBytes);
      if (received) this.#told.message(received);
      return;
    }
    // Not `payloadString`: that throws at bytes which are no text, and Paho then ends the connection.
    const word = new TextDecoder().decode(message.payloadBytes);
    if (name !== this.#who.name) this.#told.presence(name, word === 'on');
    // An earlier connection of ours, or another window, has just ended.
    else if (word === 'off') this.#announce('on');
  }

  #lost() {
    const client = this.#client;
    this.#client = null;
    try {
      client.disconnect();
    } catch {
      // It is gone already.
    }
    this.#told.state('lost');
    const delay = Math.min(GREATEST_DELAY, LEAST_DELAY * 2 ** this.#failures++);
    this.#timer = setTimeout(() => this.#connect(), delay * (0.5 + Math.random() / 2));
  }
}

/** CONNACK 4 or 5: the password is not, or not any more, the right one. */
function isRefusal({ errorMessage = '' }) {
  return /AMQJS0006E.*code:\s*[45]/.test(errorMessage);
}
