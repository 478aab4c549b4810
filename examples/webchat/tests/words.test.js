// The two languages of the page say the same, each by its own rules.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import chinese from '../page/words/chinese.js';
import english from '../page/words/english.js';

const HAN = '\\p{Script=Han}';

/** The texts, with example names and numbers filled in. */
function sayings(words) {
  const texts = Object.entries(words).filter(([key]) => key !== 'groupNames' && key !== 'otherLanguage');
  return texts.flatMap(([key, text]) => {
    const said = typeof text === 'function' ? [text(1, 'x'), text(2, 'x')] : [text];
    return said.map((text) => [key, text]);
  });
}

test('both have the same to say', () => {
  const kinds = (words) => Object.entries(words).map(([key, text]) => `${key}: ${typeof text}`).sort();
  assert.deepEqual(kinds(chinese), kinds(english));
});

test('English is English', () => {
  for (const [key, text] of sayings(english)) {
    assert.doesNotMatch(text, new RegExp(`[${HAN}\\u3000-\\u303f\\uff00-\\uffef]`, 'u'), key);
    assert.doesNotMatch(text, /\bo(n|ff) line\b|time-out| …|\.\.\./i, key);
  }
  for (const name of english.groupNames.values()) assert.match(name, /^[\w ]+$/);
});

test('Chinese has the punctuation of Chinese', () => {
  for (const [key, text] of sayings(chinese)) {
    assert.doesNotMatch(text, new RegExp(`${HAN}\\s?[,.;:!?()]|[,.;:!?()]\\s?${HAN}`, 'u'), key);
    assert.doesNotMatch(text, /(^|[^…])…($|[^…])|\.\.\./, key);
  }
});
