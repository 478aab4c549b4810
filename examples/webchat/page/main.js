// The page: connects the sitting with what is displayed.

import { draft, focusComposer, prepareComposer, setDraft } from './composer.js';
import { keepLowerEdge, showMessage, showPresence, showTalk, showTalkAnew } from './conversation.js';
import { $ } from './dom.js';
import {
  say, showChat, showEntrance, showEntranceError, showFrameAnew, showPane, showState, showTrouble, showWaiting,
} from './frame.js';
import * as kept from './kept.js';
import { focusEntry, showTalks } from './list.js';
import { hideNotice, showNotice } from './notice.js';
import { makeFit, Unfit } from './pictures.js';
import * as server from './server.js';
import { Sitting } from './sitting.js';
import { dayOf } from './times.js';
import { sayAll, switchLanguage, whyNot, words } from './words.js';

const MINUTE = 60_000;

let sitting = null;
/** Another window can be a copy of this one: it signs out together with this one. */
const partings = new BroadcastChannel('partings');

// --- Coming and going ------------------------------------------------------------------------------------------------

async function signIn(event) {
  event.preventDefault();
  const name = $('name').value.trim();
  if (!name) return;
  showEntranceError();
  showWaiting(true);
  const who = await server.signIn(name).catch((refused) => refused);
  showWaiting(false);
  if (who.token) {
    begin(who);
    focusComposer();
  } else {
    const why = { 409: 'taken', 422: 'badName', 503: 'away' }[who.status] ?? 'noServer';
    showEntrance(() => words[why]);
  }
}

function begin(who, before = {}) {
  sitting = new Sitting(who, before, told);
  showChat(who.name);
  showState(sitting.state);
  showPane('list');
  open(sitting.talks.open);
  sitting.begin();
}

async function signOut() {
  const { token } = sitting.who;
  partings.postMessage(token);
  end();
  await server.signOut(token).catch(() => {});
}

function end(error) {
  sitting.end();
  sitting = null;
  kept.forget();
  hideNotice();
  showTrouble();
  showEntrance(error);
}

/** For a reload of the page. */
function keep() {
  const { who, talks } = sitting;
  kept.keep({ who, open: talks.open, read: talks.read });
}

// --- What the sitting tells ------------------------------------------------------------------------------------------

const told = {
  isSeen,

  state() {
    showState(sitting.state);
    showPresence(openTalk(), sitting.state);
    refresh();
    keep();
  },

  presence(talk) {
    if (talk === openTalk()) showPresence(talk, sitting.state);
    refresh();
  },

  came(message) {
    told.changed(message);
    keep();
    if (message.from === sitting.me) return;
    const isRead = isSeen(sitting.talks.of(message).name) && !message.type;
    say(isRead ? words.quote(message.from, message.con) : words.saysName(message.from));
  },

  changed(message) {
    const talk = sitting.talks.of(message);
    if (talk === openTalk()) showMessage(message, talk, actions);
    refresh();
  },

  refused({ to }, status) {
    showTrouble(() => whyNot(status, to));
  },

  expired() {
    end(() => words.expired);
  },
};

// --- What people do --------------------------------------------------------------------------------------------------

/** The actions for a message that is shown. */
const actions = {
  get me() {
    return sitting.me;
  },
  get state() {
    return sitting.state;
  },
  load(message) {
    sitting.load(message);
  },
  sendAgain(message) {
    showTrouble();
    sitting.sendAgain(message);
  },
};

function sendAllAgain() {
  showTrouble();
  sitting.sendAllAgain();
}

function writeText(text) {
  const isFit = new TextEncoder().encode(text).length <= sitting.who.max_text;
  showTrouble(() => (isFit ? '' : words.tooLong));
  if (isFit) sitting.write(openTalk().name, { con: text });
  return isFit;
}

async function writePicture(file) {
  const here = sitting;
  const { name } = openTalk();
  const limit = here.who.max_picture;
  showTrouble();
  try {
    const picture = await makeFit(file, limit);
    if (here === sitting) here.write(name, { type: picture.type, picture });
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    if (here === sitting) showTrouble(() => words[error.message](limit >> 10));
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
  showTrouble();
  showTalk(talk, actions);
  refresh();
}

function openTalk() {
  return sitting.talks.with(sitting.talks.open);
}

/** Whether new messages in this conversation are seen at once. */
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
  showTalks(sitting.talks, sitting.state, choose);
  showNotice(sitting.state, sitting.talks.notSent.length);
}

/** Shows everything in another language or on another day. */
function showAnew() {
  sayAll(document);
  showFrameAnew();
  if (!sitting) return;
  showState(sitting.state);
  showTalkAnew(openTalk(), actions);
  refresh();
}

/** "Today" changes at midnight. */
function watchTheDay() {
  let today = dayOf(new Date());
  setInterval(() => {
    if (today === dayOf(new Date())) return;
    today = dayOf(new Date());
    showAnew();
  }, MINUTE);
}

function prepare() {
  sayAll(document);
  watchTheDay();
  for (const button of document.querySelectorAll('.language')) {
    button.onclick = () => {
      switchLanguage();
      showAnew();
    };
  }
  $('sign-in').onsubmit = signIn;
  $('sign-out').onclick = signOut;
  $('notice-again').onclick = sendAllAgain;
  $('back').onclick = back;
  prepareComposer({ text: writeText, file: writePicture });
  keepLowerEdge();
  document.addEventListener('visibilitychange', lookedAt);
  partings.onmessage = ({ data }) => data === sitting?.who.token && end();
  addEventListener('keydown', (event) => {
    if (!sitting || !event.altKey || event.code !== 'KeyR') return;
    event.preventDefault();
    sendAllAgain();
  });
  // Messages that were not sent are lost with the page.
  addEventListener('beforeunload', (event) => {
    if (sitting?.talks.messages.some(({ state }) => state !== 'sent')) event.preventDefault();
  });
  const { who, ...before } = kept.load();
  if (who) begin(who, before);
  else showEntrance();
}

prepare();
