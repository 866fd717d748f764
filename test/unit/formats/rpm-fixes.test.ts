// What a changelog says is fixed.
import { describe, expect, test } from '@jest/globals';
import { changelogFixes, cvesOf } from '../../../src/formats/rpm/fixes.ts';

const entry = (text: string) => ({ time: 0, author: 'A B <a@b.invalid> [1-3.el9]', text });

describe('fixes', () => {
  test.each([
    [
      '- kernel: net/sched: a text [2218332] {CVE-2023-3776}',
      { text: 'kernel: net/sched: a text', cves: ['CVE-2023-3776'], bugs: ['2218332'] },
    ],
    [
      '- kernel: a text [RHEL-12345] {CVE-2024-1234}',
      { text: 'kernel: a text', cves: ['CVE-2024-1234'], bugs: ['RHEL-12345'] },
    ],
    [
      '- several [1234567] {CVE-2024-1, CVE-2024-10001 CVE-2024-10002}',
      { text: 'several', cves: ['CVE-2024-10001', 'CVE-2024-10002'], bugs: ['1234567'] },
    ],
    [
      '- one named twice {CVE-2024-5000} {CVE-2024-5000}',
      { text: 'one named twice', cves: ['CVE-2024-5000'], bugs: [] },
    ],
  ])('%s', (text, fix) => expect(changelogFixes([entry(text)])).toEqual([fix]));

  test.each([
    '- rebuilt',
    '- Revert "a fix" {CVE-2024-1234}',
    '- kernel: revert: a fix {CVE-2024-1234}',
    'xCVE-2024-1234',
    '- [12]',
    '',
  ])('none: %s', (text) => expect(changelogFixes([entry(text)])).toEqual([]));

  test('every line of every entry, the newest entry first; CVEs in order of year and number', () => {
    const fixes = changelogFixes([
      entry('- b {CVE-2024-10000}\n- a {CVE-2024-9999}'),
      entry('- first {CVE-2023-1111}\n- also {CVE-2024-9999}'),
    ]);
    expect(fixes.map(({ text }) => text)).toEqual(['b', 'a', 'first', 'also']);
    expect(cvesOf(fixes)).toEqual(['CVE-2023-1111', 'CVE-2024-9999', 'CVE-2024-10000']);
  });
});
