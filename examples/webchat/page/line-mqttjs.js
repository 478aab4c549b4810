// A line to the broker with MQTT.js, which reconnects by itself.

import mqtt from './mqtt.js';
import { randomId, retryPause } from './random.js';

/** The pause before the next attempt, in milliseconds. It varies, so that not all pages return at the same moment. */
const pause = () => 700 + Math.random() * 600;
const REFUSALS = [4, 5];

export class Line {
  #client;
  #hasTimedOut = false;

  /**
   * `told` has `connected()`, `lost(state)` for a lost connection or a failed attempt, `refused()` for when the broker
   * no longer knows us, and `message(topic, bytes, isRetained)`.
   */
  constructor({ address, name, password, will, keepAlive, timeout }, told) {
    this.#client = mqtt.connect(address, {
      clientId: `page-${randomId().slice(0, 16)}`,
      username: name,
      password,
      will: { topic: will.topic, payload: will.word, qos: 1, retain: true },
      protocolVersion: 4,
      clean: true,
      keepalive: keepAlive / 1_000,
      connectTimeout: timeout,
      reconnectPeriod: retryPause(),
      reconnectOnConnackError: true,
      // Nothing is carried over to the next connection.
      resubscribe: false,
      queueQoSZero: false,
    });
    this.#client.on('connect', told.connected);
    this.#client.on('message', (topic, bytes, { retain }) => told.message(topic, bytes, retain));
    this.#client.on('error', ({ code, message }) => {
      if (REFUSALS.includes(code)) told.refused();
      else if (/timeout/i.test(message)) this.#hasTimedOut = true;
    });
    this.#client.on('close', () => {
      told.lost(this.#hasTimedOut ? 'timeout' : 'offline');
      this.#hasTimedOut = false;
    });
  }

  subscribe(filters) {
    this.#client.subscribe(filters, { qos: 1 });
  }

  /** Publishes a retained word, at QoS 0. */
  publish(topic, word) {
    this.#client.publish(topic, word, { retain: true });
  }

  /** Gives up a connection on which there are no answers, and opens another one. */
  drop() {
    this.#hasTimedOut = true;
    this.#client.end(true);
    this.#client.reconnect();
  }

  end() {
    this.#client.end(!this.#client.connected);
  }
}
