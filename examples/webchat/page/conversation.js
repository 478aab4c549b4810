// The conversation that is open.

import { $, dress, make } from './dom.js';
import { presence } from './list.js';
import { keyOf } from './message.js';
import { words } from './words.js';

const NEAR_THE_END = 120;

/** `actions` has `me`, `sendAgain(message)` and `load(message)`, for a picture that is not there. */
export function showTalk(talk, actions) {
  $('talk-name').textContent = talk.name;
  showPresence(talk);
  dress($('talk-avatar'), talk.name);
  const list = $('messages');
  const items = talk.messages.map((message) => item(message, talk, actions));
  list.replaceChildren(...(items.length > 0 ? items : [make('li', 'empty', words.empty)]));
  list.scrollTop = list.scrollHeight;
}

export function showPresence(talk) {
  $('talk-state').textContent = presence(talk);
  $('talk-state').className = talk.isGroup ? 'last' : 'state';
  $('talk-state').dataset.state = talk.isHere ? 'connected' : 'lost';
}

/** Adds a message to the open talk, or shows how it is with one that is there. */
export function showMessage(message, talk, actions) {
  const list = $('messages');
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_THE_END;
  const shown = item(message, talk, actions);
  const old = list.querySelector(`[data-key="${CSS.escape(shown.dataset.key)}"]`);
  if (old) {
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(shown);
    if (hadFocus) (shown.querySelector('button') ?? $('text')).focus();
  } else {
    list.querySelector('.empty')?.remove();
    shown.classList.add('fresh');
    list.append(shown);
    while (list.childElementCount > talk.messages.length) list.firstElementChild.remove();
  }
  if (atEnd || (!old && message.from === actions.me)) list.scrollTop = list.scrollHeight;
}

function item(message, talk, { me, sendAgain, load }) {
  const mine = message.from === me;
  const item = make('li', mine ? 'message mine' : 'message');
  item.dataset.key = keyOf(message);
  item.dataset.state = message.state;
  const from = make('span', talk.isGroup && !mine ? 'from' : 'unseen', message.from);
  item.append(from, message.type ? picture(message, load) : make('p', 'con', message.con));
  const foot = make('span', 'foot');
  const date = new Date(message.time * 1_000);
  const time = make('time', '', date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
  time.title = date.toLocaleString();
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

function picture(message, load) {
  const button = make('button', 'picture');
  if (!message.picture) {
    button.textContent = message.isMissing ? words.loadAgain : words.loading;
    button.onclick = () => load(message);
    return button;
  }
  message.url ??= URL.createObjectURL(message.picture);
  const image = make('img');
  image.alt = words.pictureOf(message.from);
  image.decoding = 'async';
  const list = $('messages');
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_THE_END;
  image.onload = () => {
    if (atEnd) list.scrollTop = list.scrollHeight;
  };
  image.src = message.url;
  button.append(image);
  button.onclick = () => {
    $('viewed').src = message.url;
    $('viewed').alt = image.alt;
    $('save').href = message.url;
    $('save').download = `${message.id}.${message.picture.type.split('/')[1]}`;
    $('viewer').showModal();
  };
  return button;
}
