import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { editKpatchConf, readKpatchValues } from '../../../src/formats/ini/kpatchconf.ts';

/** How Cockpit asks whether updates are automatic. */
const COCKPIT = /autoupdate\s*=\s*True/i;
const SHIPPED = '[main]\nautoupdate=False\nautofilter=False\n';

const settings = (text: string): [boolean, boolean] => {
  const { autoupdate, autofilter } = readKpatchValues(text);
  return [autoupdate, autofilter];
};
const remarks = (text: string): string[] =>
  readKpatchValues(text).remarks.map(({ line, text: why }) => `${line} ${why}`);

describe('reading', () => {
  test.each([
    ['as shipped', SHIPPED, [false, false]],
    ['on', '[main]\nautoupdate = True\nautofilter = yes\n', [true, true]],
    ['numbers and case', '[main]\nautoupdate=1\nautofilter=ON\n', [true, true]],
    ['empty', '', [false, false]],
    ['comments only', '# autoupdate = yes\n', [false, false]],
    ['another section does not count', '[other]\nautoupdate=True\n', [false, false]],
    ['quotes', '[main]\nautoupdate="True"\n', [true, false]],
    ['interpolation is none', '[main]\nx=True\nautoupdate=%(x)s\n', [false, false]],
  ])('%s', (_what, text, expected) => {
    expect(settings(text)).toEqual(expected);
  });

  test.each([
    [
      'a key given twice: the last counts',
      '[main]\nautoupdate=True\nautoupdate=False\n',
      [false, false],
      /^3 .*more than once \(lines 2, 3\)/,
    ],
    [
      'a slip in the name',
      '[main]\nautoupdte=True\n',
      [false, false],
      /^2 there is no option autoupdte, only autoupdate and/,
    ],
    [
      'a slip in the section',
      '[mian]\nAutoupdate=True\n',
      [false, false],
      /^2 Autoupdate stands in \[mian\], .* not in \[main\]/,
    ],
    ['an unknown word is off', '[main]\nautoupdate=maybe\n', [false, false], /^2 .*"maybe" is not a yes or a no/],
    ['a remark behind the value', '[main]\nautoupdate=True # c\n', [false, false], /^2 .*not a yes or a no/],
    ['no section header', 'autoupdate=True\n', [true, false], /^1 .*before the first/],
    ['a colon', '[main]\nautoupdate : True\n', [true, false], /^2 .*no '='/],
    ['another spelling of the key', '[main]\nAutoUpdate=True\n', [true, false], /^2 AutoUpdate is taken as autoupdate/],
    ['an indented line', '[main]\nautofilter=False\n autoupdate=True\n', [true, false], /^3 .*continues nothing/],
    [
      'a comment that misleads Cockpit',
      '# autoupdate = True\n[main]\nautoupdate=False\n',
      [false, false],
      /^1 Cockpit/,
    ],
  ])('%s', (_what, text, expected, remark) => {
    expect(settings(text)).toEqual(expected);
    expect(remarks(text).some((each) => remark.test(each))).toBe(true);
  });

  test('an ordinary file is not remarked upon', () => {
    expect(remarks(SHIPPED)).toEqual([]);
    expect(remarks('# note\n[main]\nautoupdate = True\n')).toEqual([]);
    expect(remarks('[main]\nenabled=1\nautoupdate = True\n[other]\nx=1\n')).toEqual([]);
  });
});

describe('editing autoupdate to True', () => {
  test.each([
    ['as shipped: one line', SHIPPED, '[main]\nautoupdate=True\nautofilter=False\n'],
    [
      'comments, order and spelling stay',
      '# a\n[main]\nx=1\n; b\nautoupdate = no\nAutoFilter=0\n',
      '# a\n[main]\nx=1\n; b\nautoupdate = True\nAutoFilter=0\n',
    ],
    ['the spelling of its own key too', '[main]\nAutoUpdate=False\n', '[main]\nAutoUpdate=True\n'],
    ['a colon is mended', '[main]\nautoupdate : False\nbroken line\n', '[main]\nautoupdate = True\nbroken line\n'],
    ['a missing header is made', '# c\nautoupdate=False\n', '# c\n[main]\nautoupdate=True\n'],
    ['a missing header behind a byte order mark', '\uFEFFautoupdate=False\n', '\uFEFF[main]\nautoupdate=True\n'],
    ['indentation is mended', '[main]\n  autoupdate=False\n', '[main]\nautoupdate=True\n'],
    ['both of two', '[main]\nautoupdate=no\nautoupdate = off\n', '[main]\nautoupdate=True\nautoupdate = True\n'],
    ['a missing line', '[main]\nautofilter=False\n\n# end\n', '[main]\nautofilter=False\nautoupdate = True\n\n# end\n'],
    ['a missing section', '[other]\nautoupdate=1\n', '[other]\nautoupdate=1\n\n[main]\nautoupdate = True\n'],
    ['an empty file', '', '[main]\nautoupdate = True\n'],
    ['no file', null, '[main]\nautoupdate = True\n'],
    ['no final newline', '[main]\nautoupdate=False', '[main]\nautoupdate=True'],
    ['DOS line ends', '[main]\r\nautoupdate=False\r\nx=1\r\n', '[main]\r\nautoupdate=True\r\nx=1\r\n'],
    [
      'a remark behind the value moves up',
      '[main]\nautoupdate = False  # mine\n',
      '[main]\n# mine\nautoupdate = True\n',
    ],
    ['no value', '[main]\nautoupdate=\n', '[main]\nautoupdate=True\n'],
    ['a continued value', '[main]\nautoupdate=\n  False\nx=1\n', '[main]\nautoupdate=True\nx=1\n'],
  ])('%s', (_what, before, after) => {
    const edited = editKpatchConf(before, { autoupdate: true });
    expect(edited).toBe(after);
    expect(edited).toMatch(COCKPIT);
    expect(readKpatchValues(edited).autoupdate).toBe(true);
  });
});

test('manual leaves nothing that Cockpit takes for automatic', () => {
  for (const before of [
    SHIPPED,
    '[main]\nautoupdate=True\nautoupdate = True\n',
    'autoupdate : True\n',
    '[main]\nAUTOUPDATE=true\n',
    null,
  ]) {
    const edited = editKpatchConf(before, { autoupdate: false });
    expect(edited).not.toMatch(COCKPIT);
    expect(readKpatchValues(edited).autoupdate).toBe(false);
  }
});

test('both settings at once, and nothing asked changes nothing', () => {
  expect(editKpatchConf(SHIPPED, { autoupdate: true, autofilter: true })).toBe(
    '[main]\nautoupdate=True\nautofilter=True\n',
  );
  expect(editKpatchConf('odd\r\n[x', {})).toBe('odd\r\n[x');
});

test('odd bytes survive, one character each', () => {
  const bytes = Buffer.from([0x23, 0xff, 0x80, 0x0a, ...Buffer.from(SHIPPED)]);
  const edited = Buffer.from(editKpatchConf(bytes.toString('latin1'), { autoupdate: true }), 'latin1');
  expect([...edited.subarray(0, 4)]).toEqual([0x23, 0xff, 0x80, 0x0a]);
});

test('whatever the text, the setting is in force afterwards, and a second edit changes nothing', () => {
  const line = fc.constantFrom(
    '[main]',
    '[Main]',
    '[x]',
    '',
    '# c',
    'autoupdate=True',
    ' autoupdate : no',
    'autoupdate',
    'AutoUpdate=0',
    'autofilter=1',
    '  more',
    'junk',
    '[main',
    'autoupdate=False # c',
    '\tautofilter = x',
    '=',
    ':',
    'autoupdate=',
    '; autoupdate=False',
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 9 }), fc.boolean(), fc.constantFrom('\n', '\r\n'), (lines, value, end) => {
      const text = lines.map((each) => each + end).join('');
      const edited = editKpatchConf(text, { autoupdate: value });
      expect(readKpatchValues(edited).autoupdate).toBe(value);
      // Another section's line is not ours to change; then Cockpit's misreading is told.
      const misled = readKpatchValues(edited).remarks.some((remark) => remark.text.startsWith('Cockpit'));
      expect(COCKPIT.test(edited)).toBe(value || misled);
      if (!lines.includes('[x]')) expect(misled).toBe(false);
      expect(readKpatchValues(edited).autofilter).toBe(readKpatchValues(text).autofilter);
      expect(editKpatchConf(edited, { autoupdate: value })).toBe(edited);
    }),
    { numRuns: 600 },
  );
});
