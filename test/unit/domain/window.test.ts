import { describe, expect, test } from '@jest/globals';
import { inWindows, parseWindows } from '../../../src/domain/window.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const within = (text: string, moment: string): boolean => {
  const [day = '', time = ''] = moment.split(' ');
  const [hour = '', minute = ''] = time.split(':');
  const windows = parseWindows(text);
  if (windows === null) throw new Error(`${text} cannot be read`);
  return inWindows(windows, DAYS.indexOf(day), Number(hour) * 60 + Number(minute));
};

describe('maintenance windows', () => {
  test.each([
    ['02:00-05:00', 'Wed 02:00', true],
    ['02:00-05:00', 'Wed 01:59', false],
    ['02:00-05:00', 'Wed 05:00', false],
    ['Sat,Sun 02:00-05:00', 'Sat 03:00', true],
    ['Sat,Sun 02:00-05:00', 'Mon 03:00', false],
    ['Mon-Fri 22:00-04:00', 'Mon 23:00', true],
    ['Mon-Fri 22:00-04:00', 'Sat 03:59', true],
    ['Mon-Fri 22:00-04:00', 'Sat 22:00', false],
    ['Mon-Fri 22:00-04:00', 'Mon 03:00', false],
    ['Fri-Mon 00:00-24:00', 'Sun 12:00', true],
    ['Fri-Mon 00:00-24:00', 'Tue 12:00', false],
    ['Mon 01:00-02:00; Tue 03:00-04:00', 'Tue 03:30', true],
    ['Mon 01:00-02:00; Tue 03:00-04:00', 'Tue 01:30', false],
    ['00:00-24:00', 'Thu 23:59', true],
  ])('%s at %s: %s', (text, moment, expected) => {
    expect(within(text, moment)).toBe(expected);
  });

  test.each([
    '',
    'sometimes',
    '25:00-26:00',
    '02:00',
    'Mon',
    'Mon 02:00-03:00-04:00',
    'Mo 02:00-03:00',
    '02:60-03:00',
    'Mon Tue 02:00-03:00',
    '24:30-01:00',
  ])('not to be read: %j', (text) => expect(parseWindows(text)).toBeNull());
});
