// Input from the broker: messages, and who is online.

import * as mqttjs from './line-mqttjs.js';
import { fromPayload } from './message.js';

/** MQTT.js, unless the address of the page asks for the article's client: `?client=paho`. */
const isPaho = new URLSearchParams(location.search).get('client') === 'paho';
/** Loaded in the background: signing in does not wait for it. */
const client = isPaho ? import('./line-paho.js') : Promise.resolve(mqttjs);

const KEEP_ALIVE = 10_000;
const TIMEOUT = 5_000;

export class Broker {
  #who;
  #told;
  #line = null;
  #isConnected = false;
  #ended = new AbortController();
  #proof = 0;

  /**
   * `who` is the server's answer to signing in. `told` has `proven()`, `lost(state)` with `offline` or `timeout`,
   * `message(message)`, `presence(name, isHere)`, and `refused()` for when the broker no longer knows us.
   */
  constructor(who, told) {
    this.#who = who;
    this.#told = told;
    client.then(this.#unlessEnded(({ Line }) => this.#open(Line)));
    // A phone that was asleep may have lost the connection without noticing.
    const { signal } = this.#ended;
    addEventListener('online', () => this.prove(), { signal });
    document.addEventListener('visibilitychange', () => document.hidden || this.prove(), { signal });
  }

  /** Leaves, and announces it. */
  end() {
    this.#ended.abort();
    clearTimeout(this.#proof);
    // If it is not connected, the will has already said so.
    if (this.#isConnected) this.#line.publish(this.#presence(), '');
    this.#line?.end();
  }

  /**
   * Subscribes, and announces our presence. It comes back to us if the broker works in both directions;
   * before it arrives everything that is known about who is online.
   */
  prove() {
    if (!this.#isConnected) return;
    clearTimeout(this.#proof);
    this.#proof = setTimeout(() => this.#line.drop(), TIMEOUT);
    this.#line.subscribe([this.#who.name, ...this.#who.groups, 'presence/+']);
    this.#announce();
  }

  #open(Line) {
    const { name, password } = this.#who;
    const will = { topic: this.#presence(), word: 'off' };
    const options = { address: this.#address(), name, password, will, keepAlive: KEEP_ALIVE, timeout: TIMEOUT };
    this.#line = new Line(options, {
      connected: this.#unlessEnded(() => this.#connected()),
      lost: this.#unlessEnded((state) => this.#lost(state)),
      refused: this.#unlessEnded(() => this.#told.refused()),
      message: this.#unlessEnded((...message) => this.#arrived(...message)),
    });
  }

  #unlessEnded(then) {
    return (...what) => this.#ended.signal.aborted || then(...what);
  }

  #address() {
    const [protocol, own] = location.protocol === 'https:' ? ['wss', 443] : ['ws', 80];
    return `${protocol}://${location.hostname}:${this.#who.port ?? (location.port || own)}/mqtt`;
  }

  #presence() {
    return `presence/${this.#who.name}`;
  }

  #announce() {
    this.#line.publish(this.#presence(), 'on');
  }

  #connected() {
    this.#isConnected = true;
    this.prove();
  }

  #lost(state) {
    this.#isConnected = false;
    clearTimeout(this.#proof);
    this.#told.lost(state);
  }

  #arrived(topic, bytes, isRetained) {
    const [, name] = /^presence\/(.*)$/s.exec(topic) ?? [];
    if (name === undefined) {
      const received = fromPayload(bytes);
      if (received) this.#told.message(received);
      return;
    }
    const word = new TextDecoder().decode(bytes);
    if (name !== this.#who.name) this.#told.presence(name, word === 'on');
    // An earlier connection of ours, or another window, has just ended.
    else if (word === 'off') this.#announce();
    else if (word === 'on' && !isRetained) this.#proven();
  }

  #proven() {
    clearTimeout(this.#proof);
    this.#told.proven();
  }
}
