// When a message was sent, in the reader's language.

import { locale } from './words.js';

const DAY = 86_400_000;
/** People's clocks may show anything; this is the end of the year 9999. */
const LATEST = 253_402_300_799;

export const dateOf = ({ time }) => new Date(Math.min(time, LATEST) * 1_000);

/** The midnight before it: the same for all messages of one day. */
export const dayOf = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

export const clock = (date) => format(date, { timeStyle: 'short' });

export const exactly = (date) => format(date, { dateStyle: 'full', timeStyle: 'medium' });

/** The name of a day, as a heading between messages. */
export function dayName(date) {
  return relative(date) ?? format(date, { weekday: 'long', day: 'numeric', month: 'long', ...yearOf(date) });
}

/** Short form: the time if it was today, otherwise the day. */
export function shortly(date) {
  if (daysAgo(date) === 0) return clock(date);
  return relative(date) ?? format(date, { day: 'numeric', month: 'short', ...yearOf(date) });
}

/** Today, yesterday, and for clocks that are fast: tomorrow. */
function relative(date) {
  const days = daysAgo(date);
  return Math.abs(days) > 1 ? null : new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(-days, 'day');
}

/** Rounded, because a day may have 23 hours or 25. */
function daysAgo(date) {
  return Math.round((dayOf(new Date()) - dayOf(date)) / DAY);
}

/** The year is shown if it is another one. */
function yearOf(date) {
  return date.getFullYear() === new Date().getFullYear() ? {} : { year: 'numeric' };
}

function format(date, options) {
  return new Intl.DateTimeFormat(locale(), options).format(date);
}
