// The list of conversations: who is here, what was said last, what is unread.

import { $, dress, make } from './dom.js';
import { words } from './words.js';

export function showTalks(talks, choose) {
  const focused = document.activeElement?.closest('.entry')?.dataset.talk;
  const people = talks.people;
  $('groups').replaceChildren(...talks.groups.map((talk) => entry(talk, talks, choose)));
  $('people').replaceChildren(...people.map((talk) => entry(talk, talks, choose)));
  if (focused !== undefined) document.querySelector(`.entry[data-talk="${CSS.escape(focused)}"]`)?.focus();
  $('here').textContent = people.filter((talk) => talk.isHere).length || '';
  $('alone').hidden = people.length > 0;
  document.title = talks.unread > 0 ? `(${talks.unread}) ${words.title}` : words.title;
}

/** Goes back to the conversation that was open. */
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
  dress(avatar, talk.name);
  const last = talk.messages.at(-1);
  const who = make('span', 'who');
  who.append(make('strong', '', talk.name), make('span', 'last', last ? summary(last, talk) : presence(talk)));
  button.append(avatar, who);
  if (!talk.isGroup) {
    avatar.dataset.here = talk.isHere;
    if (last) button.append(make('span', 'unseen', presence(talk)));
  }
  if (talk.unread > 0) {
    const badge = make('span', 'badge', talk.unread);
    badge.append(make('span', 'unseen', words.unread));
    button.append(badge);
  }
  button.onclick = () => choose(talk.name);
  item.append(button);
  return item;
}

export function presence(talk) {
  return talk.isGroup ? words.group : talk.isHere ? words.here : words.gone;
}

function summary(message, talk) {
  if (message.type) return words.pictureOf(message.from);
  return talk.isGroup ? `${message.from}: ${message.con}` : message.con;
}
