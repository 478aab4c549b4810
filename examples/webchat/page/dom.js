// Helpers that all parts of the page need. Anything people wrote is inserted as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** A time as displayed, and in machine-readable form. */
export function makeTime(date, text) {
  const time = make('time', '', text);
  time.dateTime = date.toISOString();
  return time;
}

/** A letter on a colour derived from the name, round for people; a dot shows whether they are online. */
export function dress(avatar, { name, isGroup, isHere }, title = name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 65_521;
  // The golden angle spreads neighbouring values apart.
  const hue = Math.round(sum * 137.5) % 360;
  avatar.style.setProperty('--hue', hue);
  avatar.textContent = [...title][0] ?? '';
  avatar.classList.toggle('group', Boolean(isGroup));
  if (typeof isHere === 'boolean' && !isGroup) avatar.dataset.here = isHere;
}
