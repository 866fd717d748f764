import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseIni } from '../../../src/formats/ini/document.ts';
import { setIniValue } from '../../../src/formats/ini/edit.ts';

describe('one option changes', () => {
  test.each([
    ['in place', '# c\n[m]\na = 1\nb=2\n', '# c\n[m]\na = X\nb=2\n'],
    ['without blanks as it was', '[m]\na=1', '[m]\na=X'],
    ['with its continuation lines', '[m]\na=1\n  2\n  3\nb=4\n', '[m]\na=X\nb=4\n'],
    ['with DOS line ends', '[m]\r\na=1\r\nb=2\r\n', '[m]\r\na=X\r\nb=2\r\n'],
    ['the last of duplicates', '[m]\na=1\na=2\n', '[m]\na=1\na=X\n'],
    ['added behind the last option', '[m]\nb=2\n\n# end\n[n]\na=9\n', '[m]\nb=2\na = X\n\n# end\n[n]\na=9\n'],
    ['added to an empty section', '[m]\n[n]\n', '[m]\na = X\n[n]\n'],
    ['added after a last line without end', '[m]\nb=2', '[m]\nb=2\na = X\n'],
    ['added with its section', '[n]\na=9\n', '[n]\na=9\n\n[m]\na = X\n'],
    ['into nothing', '', '[m]\na = X\n'],
  ])('%s', (_what, before, after) => {
    expect(setIniValue(before, 'm', 'a', 'X')).toBe(after);
  });
});

test('whatever the text, the value is read back and all other lines stay', () => {
  const line = fc.oneof(
    fc.constantFrom('[m]', '[n]', '', '# c', '; d', '  more', 'junk', 'a=1', 'a = 2', 'b=3', '  # x'),
    fc.string({ maxLength: 12 }).filter((text) => !/[\n\r]/.test(text)),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const text = lines.map((each) => `${each}\n`).join('');
      const edited = setIniValue(text, 'm', 'a', 'X');
      const values = parseIni(edited)
        .sections.filter(({ name }) => name === 'm')
        .flatMap(({ entries }) => entries)
        .filter(({ key }) => key === 'a');
      expect(values.at(-1)?.value).toBe('X');
      expect(setIniValue(edited, 'm', 'a', 'X')).toBe(edited);
      const left = [...lines];
      for (const each of edited.split('\n')) {
        const at = left.indexOf(each);
        if (at >= 0) left.splice(at, 1);
      }
      // What is gone was the old value.
      for (const each of left) expect(each).toMatch(/^\s*a\s*=|^\s/);
    }),
  );
});
