// A setting changes one line of kpatch.conf; every other byte stays, whatever encoding a comment is in.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { main } from '../../../src/cli/main.ts';
import { surroundings } from '../../support/surroundings.ts';

test('a comment in Latin-1 survives byte for byte', async () => {
  const host = mkdtempSync(path.join(os.tmpdir(), 'kpm-setting-'));
  try {
    const conf = path.join(host, 'etc/dnf/plugins/kpatch.conf');
    mkdirSync(path.dirname(conf), { recursive: true });
    const text = (value: string) =>
      Buffer.from(`# réglé par Zoë\n[main]\nautoupdate = ${value}\nautofilter = False\n`, 'latin1');
    writeFileSync(conf, text('False'));
    const status = await main(['--installroot', host, 'auto', '-y'], surroundings({ hostPath: host }));
    expect([status, readFileSync(conf)]).toEqual([0, text('True')]);
  } finally {
    rmSync(host, { recursive: true });
  }
});
