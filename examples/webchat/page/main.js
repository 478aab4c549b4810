// The page: brings together the sitting and what is seen of it.

import { draft, focusComposer, prepareComposer, setDraft } from './composer.js';
import { showMessage, showPresence, showTalk } from './conversation.js';
import { $ } from './dom.js';
import { say, showChat, showEntrance, showEntranceError, showPane, showState, showTrouble, showWaiting } from './frame.js';
import * as kept from './kept.js';
import { focusEntry, showTalks } from './list.js';
import { makeFit, Unfit } from './pictures.js';
import * as server from './server.js';
import { Sitting } from './sitting.js';
import { sayAll, whyNot, words } from './words.js';

let sitting = null;
/** Another window can be a copy of this one: it goes with it. */
const partings = new BroadcastChannel('partings');

// --- Coming and going ------------------------------------------------------------------------------------------------

async function signIn(event) {
  event.preventDefault();
  const name = $('name').value.trim();
  if (!name) return;
  showEntranceError('');
  showWaiting(true);
  const who = await server.signIn(name).catch((refused) => refused);
  showWaiting(false);
  if (who.token) {
    begin(who);
    focusComposer();
  } else {
    showEntranceError({ 409: words.taken, 422: words.badName, 503: words.away }[who.status] ?? words.noServer);
  }
}

function begin(who, before = {}) {
  sitting = new Sitting(who, before, told);
  showChat(who.name);
  showPane('list');
  open(sitting.talks.open);
  sitting.begin();
}

async function signOut() {
  const { token } = sitting.who;
  partings.postMessage(token);
  end('');
  await server.signOut(token).catch(() => {});
}

function end(error) {
  sitting.end();
  sitting = null;
  kept.forget();
  showEntrance(error);
}

/** For when the page is loaded again. */
function keep() {
  const { who, talks } = sitting;
  kept.keep({ who, open: talks.open, read: talks.read });
}

// --- What the sitting tells ------------------------------------------------------------------------------------------

const told = {
  isSeen,

  state(state) {
    showState(state);
    showPresence(openTalk());
    refresh();
    keep();
  },

  presence(talk) {
    if (talk === openTalk()) showPresence(talk);
    refresh();
  },

  came(message) {
    told.changed(message);
    keep();
    if (message.from === sitting.me) return;
    const isRead = isSeen(sitting.talks.of(message).name) && !message.type;
    say(isRead ? `${message.from}: ${message.con}` : words.saysName(message.from));
  },

  changed(message) {
    const talk = sitting.talks.of(message);
    if (talk === openTalk()) showMessage(message, talk, actions);
    refresh();
  },

  notSent({ to }, status) {
    showTrouble(`${whyNot(status, to)} ${words.againHint}`);
  },

  expired() {
    end(words.expired);
  },
};

// --- What people do --------------------------------------------------------------------------------------------------

/** What can be done with a message that is shown. */
const actions = {
  get me() {
    return sitting.me;
  },
  load(message) {
    sitting.load(message);
  },
  sendAgain(message) {
    showTrouble('');
    sitting.sendAgain(message);
  },
};

function sendAllAgain() {
  showTrouble('');
  sitting.sendAllAgain(openTalk().name);
}

function writeText(text) {
  const isFit = new TextEncoder().encode(text).length <= sitting.who.max_text;
  showTrouble(isFit ? '' : words.tooLong);
  if (isFit) sitting.write(openTalk().name, { con: text });
  return isFit;
}

async function writePicture(file) {
  const here = sitting;
  const { name } = openTalk();
  const limit = here.who.max_picture;
  showTrouble('');
  try {
    const picture = await makeFit(file, limit);
    if (here === sitting) here.write(name, { type: picture.type, picture });
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    if (here === sitting) showTrouble(words[error.message](limit >> 10));
  }
}

function choose(name) {
  openTalk().draft = draft();
  showPane('talk');
  open(name);
  focusComposer();
  keep();
}

function back() {
  showPane('list');
  focusEntry();
}

// --- What is seen ----------------------------------------------------------------------------------------------------

function open(name) {
  sitting.talks.open = name;
  const talk = openTalk();
  if (isSeen(name)) sitting.talks.markRead(name);
  setDraft(talk.draft);
  showTrouble('');
  showTalk(talk, actions);
  refresh();
}

function openTalk() {
  return sitting.talks.with(sitting.talks.open);
}

/** Whether what comes in this talk is seen at once. */
function isSeen(name) {
  return sitting.talks.open === name && !document.hidden && $('messages').offsetParent !== null;
}

function lookedAt() {
  if (!sitting || !isSeen(openTalk().name)) return;
  sitting.talks.markRead(openTalk().name);
  refresh();
  keep();
}

function refresh() {
  showTalks(sitting.talks, choose);
}

function prepare() {
  sayAll(document);
  $('sign-in').onsubmit = signIn;
  $('sign-out').onclick = signOut;
  $('back').onclick = back;
  prepareComposer({ text: writeText, file: writePicture });
  document.addEventListener('visibilitychange', lookedAt);
  partings.onmessage = ({ data }) => data === sitting?.who.token && end('');
  addEventListener('keydown', (event) => {
    if (!sitting || !event.altKey || event.code !== 'KeyR') return;
    event.preventDefault();
    sendAllAgain();
  });
  // What was not sent goes with the page.
  addEventListener('beforeunload', (event) => {
    if (sitting?.talks.messages.some(({ state }) => state !== 'sent')) event.preventDefault();
  });
  const { who, ...before } = kept.load();
  if (who) begin(who, before);
  else showEntrance();
}

prepare();
