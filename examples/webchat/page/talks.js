// The messages of this sitting, by conversation, and which of them are unread.

import { keyOf } from './message.js';
import { isAway } from './server.js';

const MOST_MESSAGES = 500;
const MOST_SEEN = 10_000;

export class Talks {
  #seen = new Set();

  /**
   * `isSeen(name)` returns whether that conversation is visible; `read` has the last message seen in each of them before
   * the page was reloaded.
   */
  constructor(me, groups, isSeen, read = {}) {
    this.me = me;
    this.isSeen = isSeen;
    this.read = read;
    this.open = null;
    /** Name to `{name, isGroup, isHere, messages, unread, draft}`; `isHere` is `null` if it is not known. */
    this.all = new Map(groups.map((name) => [name, talk(name, true)]));
  }

  with(name) {
    if (!this.all.has(name)) this.all.set(name, talk(name, false));
    return this.all.get(name);
  }

  /** The conversation that a message belongs to. */
  of({ from, to }) {
    return this.with(this.all.get(to)?.isGroup || from === this.me ? to : from);
  }

  get groups() {
    return [...this.all.values()].filter((talk) => talk.isGroup);
  }

  /** People who are or were online come first; of the others, those with messages. */
  get people() {
    const people = [...this.all.values()].filter((talk) => !talk.isGroup && (talk.isHere !== false || talk.messages.length > 0));
    return people.sort((a, b) => (b.isHere !== false) - (a.isHere !== false) || a.name.localeCompare(b.name));
  }

  get messages() {
    return [...this.all.values()].flatMap((talk) => talk.messages);
  }

  /** Messages that were not sent because of the connection: they can be sent on a new one. */
  get notSent() {
    return this.messages.filter(({ state, why }) => state === 'failed' && isAway(why));
  }

  get unread() {
    return [...this.all.values()].reduce((sum, talk) => sum + talk.unread, 0);
  }

  /** Without a connection, nobody knows who is online. Returns whether that is a change. */
  presenceLost() {
    const known = [...this.all.values()].filter((talk) => talk.isHere);
    for (const talk of known) talk.isHere = null;
    return known.length > 0;
  }

  /** All who are online have been reported: anyone who was not has left. */
  presenceTold() {
    for (const talk of this.all.values()) talk.isHere ??= false;
  }

  /** All messages of a conversation were seen. */
  markRead(name) {
    const talk = this.with(name);
    talk.unread = 0;
    if (talk.messages.length > 0) this.read[name] = keyOf(talk.messages.at(-1));
  }

  /** Adds a message of ours that is about to be sent. */
  sending(message) {
    this.#isNew(message);
    message.state = 'sending';
    push(this.of(message), message);
  }

  /** Adds a received message. Returns whether there is something new to see: for our own, that it has arrived. */
  receive(message) {
    const talk = this.of(message);
    if (!this.#isNew(message)) return this.#confirm(talk, message);
    message.state = 'sent';
    push(talk, message);
    if (message.from !== this.me) talk.unread += 1;
    // This message, and all before it, were read before the page was reloaded.
    if (this.isSeen(talk.name) || this.read[talk.name] === keyOf(message)) this.markRead(talk.name);
    return message;
  }

  /** If a message of ours comes back whose arrival was unknown, it has arrived. */
  #confirm(talk, message) {
    const ours = message.from === this.me && talk.messages.find((known) => keyOf(known) === keyOf(message));
    if (!ours || ours.state === 'sent') return null;
    ours.state = 'sent';
    return ours;
  }

  #isNew(message) {
    const key = keyOf(message);
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (this.#seen.size > MOST_SEEN) this.#seen.delete(this.#seen.values().next().value);
    return true;
  }

  /** Releases the pictures. */
  end() {
    this.messages.forEach(release);
  }
}

function talk(name, isGroup) {
  return { name, isGroup, isHere: false, messages: [], unread: 0, draft: '' };
}

function push(talk, message) {
  talk.messages.push(message);
  if (talk.messages.length > MOST_MESSAGES) release(talk.messages.shift());
}

function release(message) {
  if (message.url) URL.revokeObjectURL(message.url);
}
