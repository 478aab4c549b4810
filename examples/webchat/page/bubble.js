// One message, as displayed.

import { $, make, makeTime } from './dom.js';
import { withLinks } from './links.js';
import { keyOf } from './message.js';
import { clock, dateOf, exactly } from './times.js';
import { words } from './words.js';

/**
 * `actions` has `me`, `sendAgain(message)`, and `load(message)` for a picture that is missing. `grown()` is called when
 * a picture has got its size.
 */
export function bubble(message, talk, { me, sendAgain, load }, grown) {
  const mine = message.from === me;
  const item = make('li', mine ? 'message mine' : 'message');
  item.dataset.key = keyOf(message);
  item.dataset.state = message.state;
  const from = make('span', talk.isGroup && !mine ? 'from' : 'unseen', message.from);
  item.append(from, message.type ? picture(message, load, grown) : text(message), foot(message, mine, sendAgain));
  return item;
}

function text(message) {
  const text = make('p', 'con');
  text.append(...withLinks(message.con));
  return text;
}

function foot(message, mine, sendAgain) {
  const foot = make('span', 'foot');
  const date = dateOf(message);
  const time = makeTime(date, clock(date));
  time.title = exactly(date);
  foot.append(time);
  if (mine) foot.append(fate(message.state));
  if (mine && message.state === 'failed') {
    const again = make('button', 'again', words.again);
    again.onclick = () => sendAgain(message);
    foot.append(again);
  }
  return foot;
}

/** A tick, read out by its name; a failure is shown as text. */
function fate(state) {
  const fate = make('span', 'fate');
  fate.title = words[state];
  if (state === 'failed') {
    fate.textContent = words.failed;
  } else {
    const mark = make('span', 'mark', state === 'sent' ? '✓' : '…');
    mark.setAttribute('aria-hidden', 'true');
    fate.append(mark, make('span', 'unseen', words[state]));
  }
  return fate;
}

function picture(message, load, grown) {
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
  image.onload = grown;
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
