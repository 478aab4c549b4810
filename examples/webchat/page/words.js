// What the page says, in the reader's language.

const english = {
  title: 'Chat',
  name: 'Your name',
  nameHint: 'Letters and digits of any script, up to 24. No account: the name is yours while you are here.',
  signIn: 'Sign in',
  signOut: 'Sign out',
  conversations: 'Conversations',
  groups: 'Groups',
  people: 'People',
  alone: 'Nobody else is here yet. Open this page in another window.',
  back: 'Back to the conversations',
  messages: 'Messages',
  emoji: 'Emoji',
  picture: 'Send a picture',
  message: 'Message',
  send: 'Send',
  close: 'Close',
  save: 'Save',
  connecting: 'connecting …',
  connected: 'on line',
  lost: 'not connected',
  lostLong: 'The connection is lost. It comes back by itself.',
  here: 'on line',
  gone: 'off line',
  group: 'everybody is in this group',
  empty: 'Nothing said here yet.',
  sending: 'sending …',
  sent: 'sent',
  failed: 'not sent',
  again: 'Send again',
  againHint: 'Alt+R sends again what failed.',
  pictureOf: (name) => `Picture from ${name}`,
  saysName: (name) => `New message from ${name}`,
  unread: ' unread',
  loading: 'Picture …',
  loadAgain: 'The picture is not there. Try again',
  tooLong: 'This message is too long.',
  tooLarge: (limit) => `This picture is larger than ${limit} KiB, and cannot be made smaller.`,
  noPicture: () => 'This file is no picture that can be sent.',
  brokerAway: 'Not sent: the connection is lost.',
  notNow: 'Not sent: the chat cannot take it now.',
  notTaken: 'Not sent: the chat does not take it.',
  nobody: (name) => `Not sent: ${name} is not in the chat any more.`,
  tooFast: 'Not sent: too much at once. Wait a moment.',
  taken: 'This name is taken. Choose another one, or wait half a minute.',
  badName: 'A name has letters and digits, and\u00a0-\u00a0_\u00a0. between them.',
  away: 'The chat cannot take anybody in now: its broker is away. Try again in a moment.',
  noServer: 'The chat cannot be reached. Try again in a moment.',
  expired: 'You were away for too long. Please sign in again.',
};

const chinese = {
  title: '聊天',
  name: '你的名字',
  nameHint: '文字或数字,最多 24 个字。无需注册:在线期间名字归你所有。',
  signIn: '登录',
  signOut: '退出',
  conversations: '会话',
  groups: '群聊',
  people: '联系人',
  alone: '还没有别人。在另一个窗口打开本页试试。',
  back: '返回会话列表',
  messages: '消息',
  emoji: '表情',
  picture: '发送图片',
  message: '消息',
  send: '发送',
  close: '关闭',
  save: '保存',
  connecting: '连接中…',
  connected: '在线',
  lost: '连接断开',
  lostLong: '连接已断开,正在自动重连…',
  here: '在线',
  gone: '离线',
  group: '所有人都在这个群里',
  empty: '这里还没有消息。',
  sending: '发送中…',
  sent: '发送成功',
  failed: '连接失败',
  again: '重新发送',
  againHint: '按 Alt+R 重新发送。',
  pictureOf: (name) => `${name} 的图片`,
  saysName: (name) => `${name} 发来新消息`,
  unread: ' 条未读',
  loading: '图片…',
  loadAgain: '图片没有加载。再试一次',
  tooLong: '消息太长。',
  tooLarge: (limit) => `图片大于 ${limit} KiB,并且无法缩小。`,
  noPicture: () => '无法发送这个文件:它不是图片。',
  brokerAway: '发送失败:连接断开。',
  notNow: '发送失败:服务器现在无法处理。',
  notTaken: '发送失败:服务器不接受这条消息。',
  nobody: (name) => `发送失败:${name} 已经不在聊天室。`,
  tooFast: '发送失败:发送太快,请稍等。',
  taken: '这个名字已被使用。换一个,或者半分钟后再试。',
  badName: '名字由文字和数字组成,中间可以有 - _ .',
  away: '聊天室暂时无法登录:消息代理不在线。请稍后再试。',
  noServer: '服务器暂时连不上,请稍后再试。',
  expired: '离开太久,请重新登录。',
};

const isChinese = navigator.language.toLowerCase().startsWith('zh');
export const words = isChinese ? chinese : english;

/** Why the server did not take a message for somebody; 0 is no answer at all. */
export function whyNot(status, to) {
  switch (status) {
    case 0: case 401: case 502: case 503: case 504: return words.brokerAway;
    case 404: return words.nobody(to);
    case 413: return words.tooLong;
    case 429: return words.tooFast;
    default: return status >= 500 ? words.notNow : words.notTaken;
  }
}

/** Puts the words where the markup asks for them. */
export function sayAll(root) {
  document.documentElement.lang = isChinese ? 'zh-CN' : 'en';
  for (const element of root.querySelectorAll('[data-say]')) element.textContent = words[element.dataset.say];
  for (const [key, attribute] of [['sayLabel', 'aria-label'], ['sayTitle', 'title'], ['sayPlaceholder', 'placeholder']]) {
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    for (const element of root.querySelectorAll(`[data-${name}]`)) element.setAttribute(attribute, words[element.dataset[key]]);
  }
}
