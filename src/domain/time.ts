/** A moment for people, in a sentence that goes into logs and JSON too: `2026-01-01 00:01:00 UTC`. What is no ISO time is left as it is. */
export function momentText(iso: string): string {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(iso) ?? [];
  return day === undefined ? iso : `${day} ${time} UTC`;
}
