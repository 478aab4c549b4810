// Addresses in messages become links: to the web only, and without giving the target access to this page.

import { make } from './dom.js';

/** An address ends at a space, a bracket, Chinese punctuation or an invisible character. */
const ADDRESS = /\bhttps?:\/\/[^\s\p{Cc}\p{Cf}<>"`，。！？；：、（）《》「」『』【】“”‘’…]+/giu;
const PUNCTUATION = '.,;:!?\'*]}';

/** The text as pieces to display: text, and links. */
export function withLinks(text) {
  const pieces = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = withoutPunctuation(found);
    const link = linkTo(address);
    if (!link) continue;
    pieces.push(text.slice(end, index), link);
    end = index + address.length;
  }
  return [...pieces, text.slice(end)];
}

/** Punctuation at the end of a sentence is not part of the address; a closing bracket is, if it was opened there. */
function withoutPunctuation(address) {
  let unopened = address.split(')').length - address.split('(').length;
  let end = address.length;
  for (; end > 0; end -= 1) {
    const last = address[end - 1];
    if (last === ')' && unopened > 0) unopened -= 1;
    else if (!PUNCTUATION.includes(last)) break;
  }
  return address.slice(0, end);
}

function linkTo(address) {
  if (!URL.canParse(address)) return null;
  const { protocol, username, password, href } = new URL(address);
  // "https://bank.example@elsewhere.example" leads elsewhere.
  if (!['http:', 'https:'].includes(protocol) || username || password) return null;
  const link = make('a', '', address);
  link.href = href;
  // The real target, if it looks different.
  if (href !== address) link.title = href;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  return link;
}
