// A line to the broker with Paho, the article's client. It does not reconnect by itself, so that is done here.

/* global Paho */

import { make } from './dom.js';
import { randomId, retryPause } from './random.js';

// It is not a module: it defines the global `Paho`.
await new Promise((done, failed) => {
  const script = make('script');
  Object.assign(script, { src: 'paho-mqtt.js', onload: done, onerror: failed });
  document.head.append(script);
});

/** The same as in `line-mqttjs.js`. */
export class Line {
  #options;
  #told;
  #client = null;
  #timer = 0;

  constructor(options, told) {
    this.#options = options;
    this.#told = told;
    this.#connect();
  }

  subscribe(filters) {
    this.#client.subscribe(filters, { qos: 1 });
  }

  publish(topic, word) {
    this.#client.send(topic, word, 0, true);
  }

  drop() {
    this.#lost('timeout');
  }

  end() {
    clearTimeout(this.#timer);
    this.#leave();
  }

  #connect() {
    const { address, name, password, will, keepAlive, timeout } = this.#options;
    const client = new Paho.Client(address, `page-${randomId().slice(0, 16)}`);
    this.#client = client;
    const isCurrent = () => client === this.#client;
    client.onMessageArrived = ({ destinationName, payloadBytes, retained }) => {
      if (isCurrent()) this.#told.message(destinationName, payloadBytes, retained);
    };
    client.onConnectionLost = ({ errorMessage }) => isCurrent() && this.#lost(stateOf(errorMessage));
    const willMessage = new Paho.Message(will.word);
    Object.assign(willMessage, { destinationName: will.topic, qos: 1, retained: true });
    client.connect({
      userName: name,
      password,
      mqttVersion: 4,
      cleanSession: true,
      keepAliveInterval: keepAlive / 1_000,
      timeout: timeout / 1_000,
      willMessage,
      onSuccess: () => isCurrent() && this.#told.connected(),
      onFailure: ({ errorMessage }) => {
        if (!isCurrent()) return;
        if (isRefusal(errorMessage)) this.#told.refused();
        else this.#lost(stateOf(errorMessage));
      },
    });
  }

  #lost(state) {
    this.#leave();
    this.#told.lost(state);
    this.#timer = setTimeout(() => this.#connect(), retryPause());
  }

  #leave() {
    const client = this.#client;
    this.#client = null;
    try {
      client.disconnect();
    } catch {
      // It is already closed.
    }
  }
}

/** CONNACK 4 or 5: the password is wrong, or no longer valid. */
const isRefusal = (error) => /AMQJS0006E.*code:\s*[45]/.test(error);

/** AMQJS0001E and AMQJS0004E: no CONNACK, no answer to a ping. */
const stateOf = (error) => (/AMQJS000[14]E/.test(error) ? 'timeout' : 'offline');
