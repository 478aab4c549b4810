// What is around the conversations: the entrance, the connection, trouble, and what is read out.

import { $, dress } from './dom.js';
import { words } from './words.js';

export function showEntrance(error = '') {
  $('entrance').hidden = false;
  $('chat').hidden = true;
  document.title = words.title;
  showEntranceError(error);
}

export function showEntranceError(error) {
  $('sign-in-error').textContent = error;
  $('name').focus();
}

/** While we wait to be let in. */
export function showWaiting(isWaiting) {
  $('sign-in').setAttribute('aria-busy', String(isWaiting));
  $('enter').disabled = isWaiting;
}

export function showChat(name) {
  $('entrance').hidden = true;
  $('chat').hidden = false;
  $('my-name').textContent = name;
  dress($('me'), name);
}

/** `connecting`, `connected` or `lost`. */
export function showState(state) {
  $('state').textContent = words[state];
  $('state').dataset.state = state;
  // The first connection is not one that comes back.
  if (state === 'connecting') return;
  $('lost').hidden = state === 'connected';
  $('lost').textContent = state === 'connected' ? '' : words.lostLong;
}

export function showTrouble(text) {
  $('trouble').textContent = text;
}

/** On a phone there is one of the two: `list` or `talk`. */
export function showPane(pane) {
  $('chat').dataset.pane = pane;
}

/** For those who cannot see it. */
export function say(text) {
  $('said').textContent = text;
}
