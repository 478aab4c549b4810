// What was said in this sitting, with whom, and what of it is unread.

const MOST_MESSAGES = 500;
const MOST_SEEN = 10_000;

export class Talks {
  #seen = new Set();

  /** `isSeen(name)` says whether that talk is before somebody's eyes. */
  constructor(me, groups, isSeen) {
    this.me = me;
    this.isSeen = isSeen;
    this.open = null;
    /** Name to `{name, isGroup, isHere, messages, unread, draft}`. */
    this.all = new Map(groups.map((name) => [name, talk(name, true)]));
  }

  with(name) {
    if (!this.all.has(name)) this.all.set(name, talk(name, false));
    return this.all.get(name);
  }

  get groups() {
    return [...this.all.values()].filter((talk) => talk.isGroup);
  }

  /** Those who are here first; of the others those with whom something was said. */
  get people() {
    const people = [...this.all.values()].filter((talk) => !talk.isGroup && (talk.isHere || talk.messages.length > 0));
    return people.sort((a, b) => b.isHere - a.isHere || a.name.localeCompare(b.name));
  }

  get unread() {
    return [...this.all.values()].reduce((sum, talk) => sum + talk.unread, 0);
  }

  /** The list of who is here begins anew with each connection. */
  nobodyHere() {
    for (const talk of this.all.values()) talk.isHere = false;
  }

  /** Adds a message of ours, which is about to be sent. */
  sending(message) {
    this.#isNew(message);
    const talk = this.with(message.to);
    message.state = 'sending';
    push(talk, message);
    return talk;
  }

  /**
   * Takes a message that came; says in which talk it is, if it has not come before. One of ours that was not known to
   * have arrived has, if it comes back.
   */
  receive(message) {
    if (!isMessage(message)) return null;
    const { from, to } = message;
    const other = this.all.get(to)?.isGroup || from === this.me ? to : from;
    const talk = this.with(other);
    if (!this.#isNew(message)) {
      const ours = from === this.me && talk.messages.find((known) => known.id === message.id && known.from === from);
      if (!ours || ours.state === 'sent') return null;
      ours.state = 'sent';
      return { talk, isNew: false };
    }
    const { id, con, time, kind } = message;
    push(talk, { id, from, to, con, time, kind, state: 'sent' });
    if (from !== this.me && !this.isSeen(talk.name)) talk.unread += 1;
    return { talk, isNew: from !== this.me };
  }

  #isNew({ from, id }) {
    const key = `${from} ${id}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (this.#seen.size > MOST_SEEN) this.#seen.delete(this.#seen.values().next().value);
    return true;
  }
}

function talk(name, isGroup) {
  return { name, isGroup, isHere: false, messages: [], unread: 0, draft: '' };
}

function push(talk, message) {
  talk.messages.push(message);
  if (talk.messages.length > MOST_MESSAGES) talk.messages.shift();
}

/** Only the server can write to a topic of messages; nothing is taken for granted all the same. */
function isMessage(message) {
  const strings = ['from', 'to', 'con', 'id'];
  return message !== null && typeof message === 'object' && strings.every((key) => typeof message[key] === 'string')
    && Number.isSafeInteger(message.time);
}
