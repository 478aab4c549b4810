// Where messages are written: text, emoji, pictures.

import { $, make } from './dom.js';

const EMOJI = [...'😀😂🥰😎🤔😢😡😱👍👎👏🙏💪🎉❤🔥🌹☕🍜🐼🚀✅❌⏰'];
const HIGHEST = 160;

/** `told` has `text(text)`, which returns whether it was accepted, and `file(file)`. */
export function prepareComposer(told) {
  const text = $('text');
  const submit = (event) => {
    event.preventDefault();
    const written = text.value.replace(/\r\n?/g, '\n');
    if (written.trim() && told.text(written)) setDraft('');
  };
  $('composer').onsubmit = submit;
  text.oninput = fit;
  text.onkeydown = (event) => {
    // The Enter that completes the input of a Chinese word is not meant for us.
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit(event);
  };
  text.onpaste = (event) => {
    const [file] = event.clipboardData.files;
    if (!file) return;
    event.preventDefault();
    told.file(file);
  };
  $('picture').onchange = () => {
    const [file] = $('picture').files;
    $('picture').value = '';
    if (file) told.file(file);
  };
  prepareEmoji();
}

export const draft = () => $('text').value;

export function setDraft(text) {
  $('text').value = text;
  fit();
}

/** Not if an on-screen keyboard would cover half of the text. */
export function focusComposer() {
  if (matchMedia('(hover: hover) and (pointer: fine)').matches) $('text').focus();
}

/** The field is as high as its contents. */
function fit() {
  const text = $('text');
  text.style.height = 'auto';
  text.style.height = `${Math.min(text.scrollHeight + 2, HIGHEST)}px`;
}

function prepareEmoji() {
  const [open, box, text] = [$('emoji-open'), $('emoji'), $('text')];
  const toggle = (isOpen) => {
    box.hidden = !isOpen;
    open.setAttribute('aria-expanded', String(isOpen));
    (isOpen ? box.firstElementChild : text).focus();
  };
  open.onclick = () => toggle(box.hidden);
  box.append(...EMOJI.map((emoji) => {
    const button = make('button', '', emoji);
    button.type = 'button';
    button.onclick = () => {
      toggle(false);
      text.setRangeText(emoji, text.selectionStart, text.selectionEnd, 'end');
    };
    return button;
  }));
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !box.hidden) toggle(false);
  });
  addEventListener('pointerdown', ({ target }) => {
    if (!box.hidden && !box.contains(target) && !open.contains(target)) toggle(false);
  });
}
