import { expect, test } from '@jest/globals';
import { renderHistory, renderHistoryInfo } from '../../../src/cli/render/history.ts';
import { HISTORY_FORMAT, type HistoryRecord } from '../../../src/domain/history.ts';

const record = (id: number, command: string): HistoryRecord => ({
  format: HISTORY_FORMAT,
  id,
  command,
  user: 'root',
  uid: 0,
  begun: '2026-01-01T00:01:00.000Z',
  ended: '2026-01-01T00:01:01.000Z',
  version: '1',
  exit: 0,
  actions: [],
  remarks: [],
});

test('the table says what was asked for, not the root, which is the same in every row', () => {
  const views = [
    '--installroot /mnt/image auto -y',
    '-y --installroot=/mnt/image remove kpatch-patch-5_14_0-1',
    "--installroot '/mnt/it'\\''s an image' manual",
    'download --destdir=--installroot x',
    'install x',
  ].map((command, n) => ({ record: record(n + 1, command), running: false }));
  const rows = renderHistory(views, { width: 80, color: false, symbols: false }, 'UTC').split('\n').slice(2, -1);
  expect(rows.map((row) => row.split(' | ')[1]?.trim())).toEqual([
    'auto -y',
    '-y remove kpatch-patch-5',
    'manual',
    'download --destdir=--ins',
    'install x',
  ]);
});

test.each([40, 60, 79, 80, 120])('no line of the history is wider than a screen of %p columns', (width) => {
  const views = [{ record: record(1, 'remove -y kpatch-patch-5_14_0-427_13_1'), running: false }];
  const style = { width, color: false, symbols: false };
  const lines = renderHistory(views, style, 'UTC').split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
  const between = renderHistoryInfo([...views, ...views], style, 'UTC')
    .split('\n')
    .find((line) => /^-+$/.test(line));
  expect(between).toHaveLength(width - 1);
});
