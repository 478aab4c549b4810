// MQTT 3.1.1 by hand, over the browser's WebSocket: a user who does not use the page as intended.

import { until } from './processes.js';

const TYPES = { 2: 'connack', 3: 'publish', 4: 'puback', 9: 'suback', 13: 'pingresp' };

const string = (text) => {
  const bytes = [...Buffer.from(text)];
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
};

function packet(header, body) {
  const length = [];
  let left = body.length;
  do {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>= 7;
  } while (left > 0);
  return [header, ...length, ...body];
}

function connect({ name, password, will }) {
  const flags = 0x02 | (name === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40) | (will ? 0x24 : 0);
  const fields = [...(will ? [...string(will), ...string('off')] : []), ...[name, password].filter((text) => text !== undefined).flatMap(string)];
  return packet(0x10, [...string('MQTT'), 4, flags, 0, 0, ...string(`raw-${Math.random().toString(36).slice(2)}`), ...fields]);
}

export class Raw {
  /** Opens a WebSocket to the broker from this page, and sends CONNECT. */
  static async connect(page, port, credentials) {
    const handle = await page.evaluateHandle((port) => {
      const socket = new WebSocket(`ws://${location.hostname}:${port}/mqtt`, 'mqtt');
      const raw = { socket, received: [], isClosed: false };
      socket.binaryType = 'arraybuffer';
      socket.onmessage = ({ data }) => raw.received.push(...new Uint8Array(data));
      socket.onclose = () => (raw.isClosed = true);
      return raw;
    }, port);
    const raw = new Raw(handle);
    await until('the WebSocket is open', () => handle.evaluate(({ socket }) => socket.readyState === WebSocket.OPEN));
    await raw.send(connect(credentials));
    return raw;
  }

  constructor(handle) {
    this.handle = handle;
  }

  send(bytes) {
    return this.handle.evaluate(({ socket }, bytes) => socket.send(new Uint8Array(bytes)), bytes);
  }

  subscribe(...filters) {
    return this.send(packet(0x82, [0, 7, ...filters.flatMap((filter) => [...string(filter), 1])]));
  }

  /** At QoS 1, with identifier 9. */
  publish(topic, payload, isRetained = true) {
    return this.send(packet(0x32 | Number(isRetained), [...string(topic), 0, 9, ...payload]));
  }

  /** Drops the connection: the broker publishes the will. */
  drop() {
    return this.handle.evaluate(({ socket }) => socket.close());
  }

  isClosed() {
    return this.handle.evaluate(({ isClosed }) => isClosed);
  }

  /** All that the broker has sent: `{type, body}`, and `topic` and `payload` of a PUBLISH. */
  async packets() {
    const bytes = Buffer.from(await this.handle.evaluate(({ received }) => received));
    const packets = [];
    for (let at = 0; at < bytes.length;) {
      const header = bytes[at++];
      let length = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++];
        length |= (byte & 0x7f) << shift;
        if (!(byte & 0x80)) break;
      }
      if (at + length > bytes.length) break;
      packets.push(read(header, bytes.subarray(at, at += length)));
    }
    return packets;
  }

  async published() {
    return (await this.packets()).filter(({ type }) => type === 'publish');
  }

  /** Waits for a packet of this type; `null` if the broker closes the connection instead. */
  async gets(type) {
    const found = await until(`${type}, or the end`, async () => {
      const isClosed = await this.isClosed();
      const packet = (await this.packets()).find((packet) => packet.type === type);
      return packet ?? (isClosed && 'closed');
    });
    return found === 'closed' ? null : found;
  }

  hasEnded() {
    return until('the broker closes the connection', () => this.isClosed());
  }
}

function read(header, body) {
  const type = TYPES[header >> 4] ?? header >> 4;
  if (type !== 'publish') return { type, body };
  const end = 2 + body.readUInt16BE(0);
  const start = end + ((header & 0x06) > 0 ? 2 : 0);
  return { type, topic: body.subarray(2, end).toString(), payload: body.subarray(start) };
}
