// What survives a reload of the page, in this window only: `{who, open, read}`.

const KEY = 'sitting';

export function load() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

export function keep(sitting) {
  sessionStorage.setItem(KEY, JSON.stringify(sitting));
}

export function forget() {
  sessionStorage.removeItem(KEY);
}
