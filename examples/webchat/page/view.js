// What is to be seen. Whatever people wrote goes in as text, never as markup.

import { isPicture } from './pictures.js';
import { words } from './words.js';

export const $ = (id) => document.getElementById(id);

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** A letter on a colour that belongs to the name. */
function dress(avatar, name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 65_521;
  // The golden angle sets apart what lies close together.
  const hue = Math.round(sum * 137.5) % 360;
  avatar.style.setProperty('--hue', hue);
  avatar.textContent = [...name][0] ?? '';
}

export function showEntrance(error = '') {
  $('entrance').hidden = false;
  $('chat').hidden = true;
  $('sign-in-error').textContent = error;
  $('name').focus();
}

export function showChat(name) {
  $('entrance').hidden = true;
  $('chat').hidden = false;
  $('chat').dataset.pane = 'list';
  $('my-name').textContent = name;
  dress($('me'), name);
}

export function showState(state) {
  $('state').textContent = words[state];
  $('state').dataset.state = state;
  $('lost').hidden = state === 'connected';
  $('lost').textContent = state === 'connected' ? '' : words.lostLong;
}

export function showTalks(talks, choose) {
  $('groups').replaceChildren(...talks.groups.map((talk) => entry(talk, talks, choose)));
  const focused = document.activeElement?.closest('#people button')?.dataset.talk;
  const people = talks.people;
  $('people').replaceChildren(...people.map((talk) => entry(talk, talks, choose)));
  if (focused) $('people').querySelector(`[data-talk="${CSS.escape(focused)}"]`)?.focus();
  $('here').textContent = people.filter((talk) => talk.isHere).length || '';
  $('alone').hidden = people.length > 0;
  document.title = talks.unread > 0 ? `(${talks.unread}) ${words.title}` : words.title;
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
    button.append(make('span', 'unseen', presence(talk)));
  }
  if (talk.unread > 0) {
    const badge = make('span', 'badge', talk.unread);
    badge.setAttribute('aria-label', words.unread(talk.unread));
    button.append(badge);
  }
  button.onclick = () => choose(talk.name);
  item.append(button);
  return item;
}

function presence(talk) {
  return talk.isGroup ? words.group : talk.isHere ? words.here : words.gone;
}

function summary(message, talk) {
  const text = message.kind === 'picture' ? words.pictureOf(message.from) : message.con;
  return talk.isGroup && message.kind !== 'picture' ? `${message.from}: ${text}` : text;
}

export function showTalk(talk, me, sendAgain) {
  $('talk-name').textContent = talk.name;
  showPresence(talk);
  dress($('talk-avatar'), talk.name);
  const list = $('messages');
  const items = talk.messages.map((message) => item(message, talk, me, sendAgain));
  list.replaceChildren(...(items.length > 0 ? items : [make('li', 'empty', words.empty)]));
  list.scrollTop = list.scrollHeight;
}

export function showPresence(talk) {
  $('talk-state').textContent = presence(talk);
  $('talk-state').className = talk.isGroup ? 'last' : 'state';
  $('talk-state').dataset.state = talk.isHere ? 'connected' : 'lost';
}

/** Adds a message to the open talk, or shows how it is with one that is there. */
export function showMessage(message, talk, me, sendAgain) {
  const list = $('messages');
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 120;
  const shown = item(message, talk, me, sendAgain);
  const old = list.querySelector(`[data-key="${CSS.escape(shown.dataset.key)}"]`);
  if (old) {
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(shown);
    if (hadFocus) (shown.querySelector('.again') ?? $('text')).focus();
  } else {
    list.querySelector('.empty')?.remove();
    shown.classList.add('fresh');
    list.append(shown);
    while (list.childElementCount > talk.messages.length) list.firstElementChild.remove();
  }
  if (atEnd || message.from === me) list.scrollTop = list.scrollHeight;
}

function item(message, talk, me, sendAgain) {
  const mine = message.from === me;
  const item = make('li', mine ? 'message mine' : 'message');
  item.dataset.key = `${message.from} ${message.id}`;
  item.dataset.state = message.state;
  if (talk.isGroup && !mine) item.append(make('span', 'from', message.from));
  item.append(message.kind === 'picture' ? picture(message) : make('p', 'con', message.con));
  const foot = make('span', 'foot');
  const time = make('time', '', new Date(message.time * 1_000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
  foot.append(time);
  if (mine) foot.append(make('span', 'fate', words[message.state]));
  if (mine && message.state === 'failed') {
    const again = make('button', 'again', words.again);
    again.onclick = () => sendAgain(message);
    foot.append(again);
  }
  item.append(foot);
  return item;
}

function picture(message) {
  if (!isPicture(message.con)) return make('p', 'con', '?');
  const image = make('img');
  image.alt = words.pictureOf(message.from);
  image.onload = () => image.closest('ol')?.scrollTo(0, image.closest('ol').scrollHeight);
  image.src = message.con;
  const button = make('button', 'picture');
  button.append(image);
  button.onclick = () => {
    $('viewed').src = message.con;
    $('viewed').alt = image.alt;
    $('viewer').showModal();
  };
  return button;
}

/** For those who cannot see it. */
export function say(text) {
  $('said').textContent = text;
}

export function showTrouble(text) {
  $('trouble').textContent = text;
}
