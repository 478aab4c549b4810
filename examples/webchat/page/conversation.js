// The conversation that is open.

import { bubble } from './bubble.js';
import { $, dress, make } from './dom.js';
import { presence } from './list.js';
import { keyOf } from './message.js';
import { dateOf, dayName, dayOf } from './times.js';
import { titleOf, words } from './words.js';

const NEAR_THE_END = 120;

/** `actions` is as in `bubble.js`, and has `state`, the state of the connection. */
export function showTalk(talk, actions) {
  show(talk, actions, true);
  toTheEnd();
}

/** Shows the same in another language, or on another day, without scrolling. */
export function showTalkAnew(talk, actions) {
  const { scrollTop } = $('messages');
  show(talk, actions, isAtEnd());
  $('messages').scrollTop = scrollTop;
}

/** Without a connection, that is all that is known. */
export function showPresence(talk, state) {
  const isOnline = state === 'online';
  const instead = state === 'connecting' ? words.connecting : words.reconnecting;
  $('talk-state').textContent = isOnline ? presence(talk) : instead;
  $('talk-state').className = isOnline && !talk.isGroup ? 'state' : 'last';
  $('talk-state').dataset.state = talk.isHere ? 'online' : 'offline';
}

/** Adds a message to the open conversation, or updates the state of one that is shown. */
export function showMessage(message, talk, actions) {
  const stays = isAtEnd();
  const old = $('messages').querySelector(`[data-key="${CSS.escape(keyOf(message))}"]`);
  if (old) replace(old, bubble(message, talk, actions, stays ? toTheEnd : null));
  else append(talk, actions, stays);
  if (stays || (!old && message.from === actions.me)) toTheEnd();
}

/** When the list becomes shorter, by a keyboard or by the line at the top, what was at its lower edge stays there. */
export function keepLowerEdge() {
  let height = 0;
  new ResizeObserver(() => {
    const { clientHeight } = $('messages');
    if (clientHeight < height) $('messages').scrollTop += height - clientHeight;
    height = clientHeight;
  }).observe($('messages'));
}

function show(talk, actions, stays) {
  $('talk-name').textContent = titleOf(talk);
  showPresence(talk, actions.state);
  dress($('talk-avatar'), { ...talk, isHere: null }, titleOf(talk));
  const items = talk.messages.flatMap((_, at) => itemsAt(at, talk, actions, stays));
  $('messages').replaceChildren(...(items.length > 0 ? items : [make('li', 'empty', words.empty)]));
}

function replace(old, shown) {
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(shown);
  if (hadFocus) (shown.querySelector('button') ?? $('text')).focus();
}

function append(talk, actions, stays) {
  const list = $('messages');
  list.querySelector('.empty')?.remove();
  const items = itemsAt(talk.messages.length - 1, talk, actions, stays);
  items.forEach((item) => item.classList.add('fresh'));
  list.append(...items);
  while (list.querySelectorAll('.message').length > talk.messages.length) list.querySelector('.message').remove();
  // A day that has no messages left.
  if (list.children[1].matches('.day')) list.firstElementChild.remove();
}

/** A message, preceded by the day if it is the first one of that day. `stays`: the end stays visible. */
function itemsAt(at, talk, actions, stays) {
  const message = talk.messages[at];
  const date = dateOf(message);
  const shown = bubble(message, talk, actions, stays ? toTheEnd : null);
  const isSameDay = at > 0 && dayOf(dateOf(talk.messages[at - 1])) === dayOf(date);
  return isSameDay ? [shown] : [make('li', 'day', dayName(date)), shown];
}

function isAtEnd() {
  const { scrollHeight, scrollTop, clientHeight } = $('messages');
  return scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
}

function toTheEnd() {
  $('messages').scrollTop = $('messages').scrollHeight;
}
