// Times that no calendar has, as a repository may write them: they count as not said, and no answer breaks on them.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { parseCase } from '../support/cases/parse.ts';
import { buildStage, type Stage } from '../support/cases/stage.ts';
import { surroundings } from '../support/surroundings.ts';

const MACHINE = `
@KERNELS
5.14.0-362.8.1.el9_3.x86_64 running

@REPO base
kpatch-patch-5_14_0-362_8_1-1-2.el9_3.x86_64 for=5.14.0-362.8.1.el9_3.x86_64

@ADVISORY base RHSA-2025:9001 issued=9999-12-31
kpatch-patch-5_14_0-362_8_1-1-2.el9_3.x86_64

@CONFIG etc/kpatch-pm/kpatch-pm.conf
[main]
min_age = 1h
`;

describe.each(['999999999999999', '253402300800', '-1', 'soon'])('a package built and published at %s', (time) => {
  let stage: Stage;
  beforeAll(() => {
    stage = buildStage(parseCase(MACHINE));
    const repodata = path.join(stage.path, 'srv/base/repodata');
    const [name = ''] = readdirSync(repodata).filter((file) => file.endsWith('-primary.xml'));
    const before = readFileSync(path.join(repodata, name), 'utf8');
    const after = before.replace(/<time [^>]*>/, `<time file="${time}" build="${time}"/>`);
    const sum = createHash('sha256').update(after).digest('hex');
    writeFileSync(path.join(repodata, `${sum}-primary.xml`), after);
    const repomd = readFileSync(path.join(repodata, 'repomd.xml'), 'utf8');
    const sized = repomd.replaceAll(name.slice(0, 64), sum).replaceAll(`>${before.length}<`, `>${after.length}<`);
    writeFileSync(path.join(repodata, 'repomd.xml'), sized);
  });
  afterAll(() => rmSync(stage.path, { recursive: true }));

  test.each([
    ['status', '--refresh', '--json'],
    ['kernels', '--advise', '--refresh'],
    ['metrics'],
    ['install', '--dry-run'],
  ])('%s %s', async (...words) => {
    const around = surroundings({ hostPath: stage.path, uname: stage.uname, now: '2026-01-01T00:01:00Z' });
    const status = await main(words, around);
    expect([status, around.stderr.text]).toEqual([0, expect.not.stringContaining('in a way it should not')]);
    expect(around.stdout.text).toContain('362');
  });
});
