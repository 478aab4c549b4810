// The texts of the page, in one language at a time: the reader's, or the chosen one.

import chinese from './words/chinese.js';
import english from './words/english.js';

const KEY = 'language';
const PLACES = [['sayLabel', 'aria-label'], ['sayTitle', 'title'], ['sayPlaceholder', 'placeholder']];

/** The words of the current language. */
export let words = (localStorage.getItem(KEY) ?? navigator.language).startsWith('zh') ? chinese : english;

export function switchLanguage() {
  words = words === english ? chinese : english;
  localStorage.setItem(KEY, words.code);
}

/** The language for dates and times: the reader's own variant, if there is one. */
export function locale() {
  return navigator.languages.find((language) => language.split('-')[0] === words.code) ?? words.code;
}

/** The title of a conversation. */
export function titleOf({ name, isGroup }) {
  return (isGroup && words.groupNames.get(name)) || name;
}

/** Why the server refused a message to somebody. */
export function whyNot(status, to) {
  switch (status) {
    case 404: return words.nobody(to);
    case 413: return words.tooLong;
    case 429: return words.tooFast;
    default: return status >= 500 ? words.notNow : words.notTaken;
  }
}

/** Inserts the words where the markup asks for them. */
export function sayAll(root) {
  root.documentElement.lang = words === chinese ? 'zh-CN' : 'en';
  for (const element of root.querySelectorAll('[data-say]')) element.textContent = words[element.dataset.say];
  for (const [key, attribute] of PLACES) {
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    for (const element of root.querySelectorAll(`[data-${name}]`)) element.setAttribute(attribute, words[element.dataset[key]]);
  }
  // A screen reader reads the name of a language in that language.
  for (const element of root.querySelectorAll('.language')) element.lang = words === chinese ? 'en' : 'zh-CN';
}
