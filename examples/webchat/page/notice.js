// The line above everything: that the connection is lost or restored, and what can be sent again.

import { $ } from './dom.js';
import { words } from './words.js';

const LASTS = 4_000;

const isApple = /Mac|iP(hone|ad|od)/.test(navigator.platform);
let wasLost = false;
let timer = 0;

/** `count` messages were not sent because of the connection, which is in this state. */
export function showNotice(state, count) {
  if (state === 'online' && count === 0) return wasLost ? showAWhile() : hideNotice();
  clearTimeout(timer);
  timer = 0;
  if (state === 'connecting') return show('', '');
  wasLost = true;
  if (state === 'online') show('back', words.notSent(count), words.sendAll(count));
  else show('lost', words[`${state}Long`]);
}

function showAWhile() {
  show('back', words.onlineAgain);
  timer ||= setTimeout(hideNotice, LASTS);
}

export function hideNotice() {
  clearTimeout(timer);
  timer = 0;
  wasLost = false;
  show('', '');
}

function show(kind, text, offer = '') {
  const notice = $('notice');
  if (!offer && notice.contains(document.activeElement)) $('text').focus();
  notice.dataset.kind = kind;
  // An unchanged text is not read out again.
  if ($('notice-text').textContent !== text) $('notice-text').textContent = text;
  $('notice-again').hidden = !offer;
  $('notice-offer').textContent = offer;
  $('notice-key').textContent = isApple ? '⌥R' : 'Alt+R';
}
