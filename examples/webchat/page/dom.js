// The little that all parts of the page need. Whatever people wrote goes in as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** A letter on a colour that belongs to the name. */
export function dress(avatar, name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 65_521;
  // The golden angle sets apart what lies close together.
  const hue = Math.round(sum * 137.5) % 360;
  avatar.style.setProperty('--hue', hue);
  avatar.textContent = [...name][0] ?? '';
}
