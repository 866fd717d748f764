// The answers of other machines are strangers' text: the page must stay a page, the table a table, the sheet a sheet.
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cvesCsv } from '../../src/cli/render/cves.ts';
import { renderFleet } from '../../src/cli/render/fleet.ts';
import { fleetHtml, policy } from '../../src/cli/render/fleet-html.ts';
import { mergeFleet } from '../../src/decide/fleet.ts';

const ATTACKS = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style><script>alert(1)</script>',
  '</title></head><body onload=alert(1)>',
  '<!--',
  '-->',
  ']]>',
  '&lt;script&gt;',
  '&#60;script&#62;',
  'javascript:alert(1)',
  '\u202egnp.exe',
  '\u001b[2J\u001b]0;owned\u0007',
  'a\u0000b',
  'line\nbreak',
  '\ud800',
  '<meta http-equiv="refresh" content="0;url=//evil.invalid">',
  '<base href=//evil.invalid>',
  '<svg/onload=alert(1)>',
];

const status = (text: string) => ({
  format: 1,
  version: text,
  time: text,
  machine: text,
  settings: {},
  kernels: [
    {
      release: text,
      running: true,
      verdict: 'protected',
      because: { code: text, text },
      installed: [{ nevra: `${text}-1-1.el9.x86_64` }],
      loaded: [{ module: text, enabled: true }],
      available: text,
    },
  ],
  error: null,
});
const cves = (text: string) => ({
  format: 1,
  time: text,
  machine: text,
  kernels: [{ release: text, running: true, cves: [{ cve: text, state: 'available' }] }],
});

const page = (text: string): string =>
  fleetHtml(
    '2026-01-01',
    mergeFleet([
      { name: text, value: status(text) },
      { name: text, value: cves(text) },
      { name: text, value: 7 },
    ]),
    '1.0',
  );

/** Tag names and attributes of a page, in order: what a browser builds the tree from. */
const skeleton = (html: string): string[] => html.match(/<\/?[a-z!][^>]*>/gi) ?? [];

test.each(ATTACKS)('the page of %j has the tags of a harmless one', (text) => {
  const harmless = skeleton(page('x'));
  expect(skeleton(page(text))).toEqual(harmless);
  expect(page(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test('any text at all leaves the tags as they are', () => {
  const harmless = skeleton(page('x'));
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(skeleton(page(`x${text}`))).toEqual(harmless);
    }),
  );
});

describe('the policy of the page', () => {
  test('allows nothing but its own style sheet, whose hash is right', () => {
    const html = page('x');
    const style = /<style>([\s\S]*)<\/style>/.exec(html)?.[1] as string;
    const hash = createHash('sha256').update(style).digest('base64');
    expect(policy()).toBe(`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`);
    expect(html).toContain(`content="${policy()}"`);
    expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<style>'));
  });

  test('the page itself has no script, no link, no address to load from, no inline style', () => {
    expect(page('x')).not.toMatch(/<script|<link|<img|<iframe|\ssrc=|\shref=|\sstyle=|\son[a-z]+=|url\(|@import/i);
  });
});

test.each(ATTACKS)('on a terminal %j prints nothing that steers it', (text) => {
  const fleet = mergeFleet([
    { name: text, value: status(text) },
    { name: text, value: null },
  ]);
  const shown = renderFleet(fleet, { width: 80, color: false, symbols: false });
  expect(shown.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
});

test.each([
  null,
  7,
  'x',
  [],
  {},
  { format: 2, settings: {}, time: 'x', kernels: [] },
  { format: 1 },
  { format: 1, settings: {}, time: 1, kernels: [] },
  { format: 1, error: {} },
])('what is no answer is named and left out: %j', (value) => {
  const { rows, problems } = mergeFleet([{ name: 'file', value }]);
  expect([rows.length, problems.length, problems[0]?.file]).toEqual([0, 1, 'file']);
});

test('kernels that are no kernels make no row', () => {
  const value = {
    ...status('x'),
    kernels: [
      null,
      1,
      {},
      { release: 'a' },
      { release: 'a', verdict: 'constructor' },
      { release: 1, verdict: 'protected' },
    ],
  };
  expect(mergeFleet([{ name: 'file', value }]).rows).toEqual([]);
});

test.each(['=cmd|x', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])('a cell that begins %j is text to a spreadsheet', (by) => {
  const report = { cve: 'CVE-2025-0001', state: 'unknown', by, severity: by, sources: [], text: by } as const;
  const [, row = ''] = cvesCsv({
    kernels: [{ release: 'K', running: true, cves: [report] }],
    asked: false,
    blind: null,
  }).split('\n');
  for (const cell of row.split(',').slice(3)) expect(cell.replace(/^"/, '')).not.toMatch(/^[=+\-@\t\r]/);
});

test('commas, quotes and line breaks stay inside their cell', () => {
  const report = {
    cve: 'CVE-2025-0001',
    state: 'unknown',
    by: 'a,"b"\nc',
    severity: null,
    sources: [],
    text: 't',
  } as const;
  const text = cvesCsv({ kernels: [{ release: 'K', running: true, cves: [report] }], asked: false, blind: null });
  expect(text.split('\n')[1]).toBe('K,CVE-2025-0001,unknown,"a,""b""\\u000ac",,,,,t');
});
