// Everything around the conversations: the entrance, the connection, errors, and announcements for screen readers.

import { $, dress } from './dom.js';
import { words } from './words.js';

const nothing = () => '';

/** The reasons for a failure, as functions: the language may change meanwhile. */
let [entranceError, trouble] = [nothing, nothing];

export function showEntrance(error = nothing) {
  $('entrance').hidden = false;
  $('chat').hidden = true;
  document.title = words.title;
  showEntranceError(error);
  $('name').focus();
}

export function showEntranceError(error = nothing) {
  entranceError = error;
  $('sign-in-error').textContent = error();
}

/** While we wait to be signed in. */
export function showWaiting(isWaiting) {
  $('sign-in').setAttribute('aria-busy', String(isWaiting));
  $('enter').disabled = isWaiting;
}

export function showChat(name) {
  $('entrance').hidden = true;
  $('chat').hidden = false;
  $('my-name').textContent = name;
  dress($('me'), { name });
}

/** The state of the connection: `connecting`, `online`, `offline` or `timeout`. */
export function showState(state) {
  $('state').textContent = words[state];
  $('state').dataset.state = state;
}

export function showTrouble(text = nothing) {
  trouble = text;
  $('trouble').textContent = text();
}

/** Shows the same in another language. */
export function showFrameAnew() {
  showEntranceError(entranceError);
  showTrouble(trouble);
}

/** A phone shows one of the two: `list` or `talk`. */
export function showPane(pane) {
  $('chat').dataset.pane = pane;
}

/** For users of screen readers. */
export function say(text) {
  $('said').textContent = text;
}
