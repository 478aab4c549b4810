// The list of conversations: who is online, the last message and its time, what is unread.

import { $, dress, make, makeTime } from './dom.js';
import { dateOf, shortly } from './times.js';
import { titleOf, words } from './words.js';

/** `state` is the state of the connection: without one, nobody is shown as online or offline. */
export function showTalks(talks, state, choose) {
  const focused = document.activeElement?.closest('.entry')?.dataset.talk;
  const people = talks.people.map((talk) => (state === 'online' ? talk : { ...talk, isHere: null }));
  $('groups').replaceChildren(...talks.groups.map((talk) => entry(talk, talks, choose)));
  $('people').replaceChildren(...people.map((talk) => entry(talk, talks, choose)));
  if (focused !== undefined) document.querySelector(`.entry[data-talk="${CSS.escape(focused)}"]`)?.focus();
  $('here').textContent = people.filter((talk) => talk.isHere).length || '';
  $('alone').hidden = people.length > 0;
  document.title = talks.unread > 0 ? `(${talks.unread}) ${words.title}` : words.title;
}

/** Returns to the conversation that was open. */
export function focusEntry() {
  document.querySelector('.entry[aria-current]')?.focus();
}

function entry(talk, talks, choose) {
  const item = make('li');
  const button = make('button', 'entry');
  button.dataset.talk = talk.name;
  if (talk.name === talks.open) button.setAttribute('aria-current', 'true');
  const avatar = make('span', 'avatar');
  avatar.setAttribute('aria-hidden', 'true');
  dress(avatar, talk, titleOf(talk));
  const last = talk.messages.at(-1);
  const who = make('span', 'who');
  who.append(make('strong', '', titleOf(talk)), make('span', 'last', last ? summary(last, talk) : presence(talk)));
  button.append(avatar, who);
  if (!talk.isGroup && last) button.append(make('span', 'unseen', presence(talk)));
  const side = make('span', 'when');
  if (last) side.append(makeTime(dateOf(last), shortly(dateOf(last))));
  if (talk.unread > 0) side.append(sign('badge', talk.unread, words.unread));
  if (talk.messages.some(({ state }) => state === 'failed')) side.append(sign('alarm', '!', ` ${words.failed}`));
  button.append(side);
  button.onclick = () => choose(talk.name);
  item.append(button);
  return item;
}

/** A mark that calls for attention, and the text that is read out for it. */
function sign(kind, text, what) {
  const sign = make('span', kind, text);
  sign.append(make('span', 'unseen', what));
  return sign;
}

/** Nothing, if it is not known. */
export function presence({ isGroup, isHere }) {
  if (isGroup) return words.group;
  return isHere === null ? '' : isHere ? words.online : words.offline;
}

function summary(message, talk) {
  if (message.type) return words.pictureOf(message.from);
  return talk.isGroup ? words.quote(message.from, message.con) : message.con;
}
