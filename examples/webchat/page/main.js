// The page: brings together what comes, what is sent, and what is seen.

import { Broker, randomId } from './broker.js';
import { shrink } from './pictures.js';
import * as server from './server.js';
import { Talks } from './talks.js';
import { $, say, showChat, showEntrance, showMessage, showPresence, showState, showTalk, showTalks, showTrouble } from './view.js';
import { sayAll, words } from './words.js';

const EMOJI = [...'😀😂🥰😎🤔😢😡😱👍👎👏🙏💪🎉❤🔥🌹☕🍜🐼🚀✅❌⏰'];

/** The sitting: who we are, what was said, where it comes from. */
let who = null;
let talks = null;
let broker = null;
let last = 0;
let queue = Promise.resolve();
let comingBack = false;

// --- Coming and going ------------------------------------------------------------------------------------------------

function begin(signedIn) {
  who = signedIn;
  sessionStorage.setItem('who', JSON.stringify(who));
  if (talks?.me !== who.name) talks = new Talks(who.name, who.groups, isSeen);
  last = 0;
  showChat(who.name);
  broker?.end();
  broker = new Broker(who, { state: stateChanged, message: arrived, presence: presenceChanged, refused: comeBack });
  choose(talks.open ?? who.groups[0], false);
}

function end(error) {
  broker?.end();
  [who, talks, broker] = [null, null, null];
  sessionStorage.removeItem('who');
  showEntrance(error);
}

/** The server or the broker does not know us any more, after a restart for instance: we try to be who we were. */
async function comeBack() {
  if (comingBack) return;
  comingBack = true;
  const { token, name } = who;
  while (who?.token === token) {
    try {
      const again = await server.signIn(name);
      if (who?.token === token) begin(again);
    } catch (error) {
      if (error.status === 409) end(words.expired);
      else await new Promise((done) => setTimeout(done, 2_000));
    }
  }
  comingBack = false;
}

async function signIn(event) {
  event.preventDefault();
  const name = $('name').value.trim();
  if (!name) return;
  $('sign-in-error').textContent = '';
  try {
    begin(await server.signIn(name));
  } catch (error) {
    showEntrance({ 409: words.taken, 422: words.badName }[error.status] ?? words.noServer);
  }
}

async function signOut() {
  const { token } = who;
  end('');
  await server.signOut(token).catch(() => {});
}

// --- What comes ------------------------------------------------------------------------------------------------------

async function stateChanged(state) {
  showState(state);
  if (state === 'lost') {
    // With the next connection it is told anew.
    talks.nobodyHere();
    showPresence(talks.with(talks.open));
    refresh();
  }
  if (state !== 'connected') return;
  // What was said meanwhile is with the server.
  const { token } = who;
  try {
    const missed = await server.missed(token, last);
    if (who?.token !== token) return;
    last = missed.last;
    missed.messages.forEach(arrived);
  } catch (error) {
    if (who?.token !== token) return;
    if (error.status === 401) comeBack();
    else setTimeout(() => who?.token === token && stateChanged(state), 2_000);
  }
}

function presenceChanged(name, isHere) {
  const talk = talks.with(name);
  talk.isHere = isHere;
  if (talks.open === name) showPresence(talk);
  refresh();
}

function arrived(message) {
  const received = talks.receive(message);
  if (!received) return;
  const { talk, isNew } = received;
  const shown = talk.messages.find((known) => known.id === message.id && known.from === message.from);
  if (talk.name === talks.open && shown) showMessage(shown, talk, who.name, sendAgain);
  if (isNew) say(words.saysName(message.from));
  refresh();
}

// --- What is sent ----------------------------------------------------------------------------------------------------

function write(con, kind) {
  const message = { to: talks.open, con, from: who.name, time: Math.floor(Date.now() / 1_000), id: randomId(), kind };
  talks.sending(message);
  deliver(message);
}

function sendAgain(message) {
  message.state = 'sending';
  deliver(message);
}

/** One after the other, so that they arrive in their order. */
function deliver(message) {
  show(message);
  const { token } = who;
  queue = queue.then(async () => {
    const { state, ...content } = message;
    try {
      if (state !== 'sent') await server.send(token, content);
      message.state = 'sent';
    } catch (error) {
      message.state = 'failed';
      showTrouble(words.againHint);
      if (error.status === 401 && who?.token === token) comeBack();
    }
    if (who) show(message);
  });
}

function show(message) {
  const talk = talks.with(message.to);
  if (talk.name === talks.open) showMessage(message, talk, who.name, sendAgain);
  if (!talk.messages.some((known) => known.state === 'failed')) showTrouble('');
  refresh();
}

function sendAllAgain() {
  talks?.with(talks.open).messages.filter((message) => message.state === 'failed').forEach(sendAgain);
}

function submit(event) {
  event?.preventDefault();
  const text = $('text').value.replace(/\r\n?/g, '\n');
  if (!text.trim()) return;
  if (new TextEncoder().encode(text).length > who.max_text) return showTrouble(words.tooLong);
  showTrouble('');
  $('text').value = '';
  fit();
  write(text, 'text');
}

async function sendPicture(file) {
  const { name } = who;
  const to = talks.open;
  const url = await shrink(file, who.max_picture);
  if (who?.name !== name || talks.open !== to) return;
  if (url) write(url, 'picture');
  else showTrouble(words.noPicture);
}

// --- What is seen ----------------------------------------------------------------------------------------------------

function choose(name, byHand = true) {
  if (talks.open) talks.with(talks.open).draft = $('text').value;
  talks.open = name;
  const talk = talks.with(name);
  if (byHand || isSeen(name)) talk.unread = 0;
  $('text').value = talk.draft;
  fit();
  showTrouble('');
  showTalk(talk, who.name, sendAgain);
  refresh();
  if (byHand) {
    $('chat').dataset.pane = 'talk';
    $('text').focus();
  }
}

/** Whether what comes in this talk is seen at once. */
function isSeen(name) {
  return talks.open === name && !document.hidden && $('messages').offsetParent !== null;
}

function back() {
  $('chat').dataset.pane = 'list';
  document.querySelector('.entry[aria-current]')?.focus();
}

function refresh() {
  showTalks(talks, choose);
}

/** The field is as high as what is in it. */
function fit() {
  const text = $('text');
  text.style.height = 'auto';
  text.style.height = `${Math.min(text.scrollHeight + 2, 160)}px`;
}

function toggleEmoji(open) {
  $('emoji').hidden = !open;
  $('emoji-open').setAttribute('aria-expanded', String(open));
  if (open) $('emoji').firstElementChild.focus();
  else $('text').focus();
}

function prepare() {
  sayAll(document);
  $('sign-in').onsubmit = signIn;
  $('sign-out').onclick = signOut;
  $('back').onclick = back;
  $('composer').onsubmit = submit;
  $('text').oninput = fit;
  $('text').onkeydown = (event) => {
    // Enter that ends the input of a Chinese word is not meant for us.
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit(event);
  };
  $('text').onpaste = (event) => {
    const [file] = event.clipboardData.files;
    if (file) {
      event.preventDefault();
      sendPicture(file);
    }
  };
  $('picture').onchange = () => {
    const [file] = $('picture').files;
    $('picture').value = '';
    if (file) sendPicture(file);
  };
  $('emoji-open').onclick = () => toggleEmoji($('emoji').hidden);
  $('emoji').append(...EMOJI.map((emoji) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = emoji;
    button.onclick = () => {
      toggleEmoji(false);
      $('text').setRangeText(emoji, $('text').selectionStart, $('text').selectionEnd, 'end');
    };
    return button;
  }));
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !$('emoji').hidden) toggleEmoji(false);
    if (event.altKey && event.code === 'KeyR' && talks) {
      event.preventDefault();
      sendAllAgain();
    }
  });
  document.addEventListener('visibilitychange', () => {
    if (talks && isSeen(talks.open)) {
      talks.with(talks.open).unread = 0;
      refresh();
    }
  });
  const kept = sessionStorage.getItem('who');
  if (kept) begin(JSON.parse(kept));
  else showEntrance();
}

prepare();
