// When unattended work may touch the running kernel: hours of a week in the machine's local time, and a date before which
// nothing is done at all.

/** A span of one day's minutes; `to` at or below `from` reaches into the next day. */
export interface Window {
  /** 0 Sunday ... 6 Saturday: the day on which it begins. */
  readonly days: readonly number[];
  /** Minutes since midnight. */
  readonly from: number;
  readonly to: number;
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTES = 24 * 60;

function daysOf(text: string): number[] | null {
  const found = new Set<number>();
  for (const part of text.toLowerCase().split(',')) {
    const [first = '', last = first, ...more] = part.split('-');
    const [from, to] = [DAYS.indexOf(first), DAYS.indexOf(last)];
    if (from < 0 || to < 0 || more.length > 0) return null;
    for (let day = from; ; day = (day + 1) % 7) {
      found.add(day);
      if (day === to) break;
    }
  }
  return [...found].sort((a, b) => a - b);
}

function minuteOf(text: string): number | null {
  const match = /^([01]?\d|2[0-4]):([0-5]\d)$/.exec(text);
  const minute = match ? Number(match[1]) * 60 + Number(match[2]) : MINUTES + 1;
  return minute <= MINUTES ? minute : null;
}

/** `Mon-Fri,Sun 22:00-04:00`, or only the hours (every day); several with `;`. Null when it cannot be read. */
export function parseWindows(text: string): Window[] | null {
  const windows: Window[] = [];
  for (const part of text.split(';')) {
    const words = part.trim().split(/\s+/);
    const days = words.length === 2 ? daysOf(words[0] ?? '') : [0, 1, 2, 3, 4, 5, 6];
    const [from = '', to = '', ...more] = (words.at(-1) ?? '').split('-');
    const [start, end] = [minuteOf(from), minuteOf(to)];
    if (words.length > 2 || days === null || start === null || end === null || more.length > 0) return null;
    windows.push({ days, from: start, to: end });
  }
  return windows;
}

/** Whether a moment of local time (day of the week, minute of the day) lies in one of the windows. */
export function inWindows(windows: readonly Window[], day: number, minute: number): boolean {
  return windows.some(({ days, from, to }) => {
    if (from < to) return days.includes(day) && minute >= from && minute < to;
    // Over midnight: the evening of its own day, or the morning of the next.
    return (days.includes(day) && minute >= from) || (days.includes((day + 6) % 7) && minute < to);
  });
}
