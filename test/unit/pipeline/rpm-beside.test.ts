// rpm and the repositories are asked side by side; what names the release waits for rpm, which alone knows it.
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { type Run, realRun } from '../../../src/host/run.ts';
import { look } from '../../../src/pipeline/observe.ts';
import type { Request } from '../../../src/pipeline.ts';
import { FIXTURES } from '../../support/fixtures.ts';
import { rootForEach } from '../../support/hooks.ts';
import { listener, machineOver } from '../../support/machine.ts';
import { needs } from '../../support/programs.ts';

const REQUEST = {
  verb: 'install',
  config: { setopt: [], enablerepo: [], disablerepo: [], repo: [], repofrompath: [], nogpgcheck: false },
  kernels: [],
  refresh: true,
  cacheOnly: false,
} as unknown as Request;

/** rpm's answer with a release package before the rest that os-release knows nothing of; given when `may` says so. */
const rpmThat = (may: Promise<void>): Run => ({
  ...realRun,
  run: async (program, args, options) => {
    const told = await realRun.run(program, args, options);
    if (!args.includes('-qa') || args.includes('gpg-pubkey')) return told;
    await may;
    const release = 'redhat-release\t0\t9.9\t1\tx86_64\tfiles\tsystem-release(releasever) = 9.9-1\x1f\t\n';
    return { ...told, stdout: Buffer.concat([Buffer.from(release), told.stdout]) };
  },
});

const root = rootForEach(() => ({ files: { 'etc/os-release': 'ID=rhel\nVERSION_ID="9"\n' } }));

const REPO = 'etc/yum.repos.d/fixtures.repo';
const repo = (url: string): string => `[a]\nname=a\nbaseurl=file://${url}\ngpgcheck=1\n`;

needs('rpm')('rpm', () => {
  test('a repository whose place needs no answer of rpm is read before rpm has answered', async () => {
    writeFileSync(root.at(REPO), repo(`${FIXTURES}/el9`));
    let answer = (): void => undefined;
    const may = new Promise<void>((resolve) => {
      answer = resolve;
    });
    // Without rpm's answer nothing goes on after the index was kept.
    const machine = machineOver(
      root.path,
      (what, relative) => {
        if (what === 'write' && relative.endsWith('/index.json')) answer();
      },
      { run: rpmThat(may) },
    );
    const { world, net, rpmdb } = await look(machine, REQUEST, listener());
    await net.close();
    expect(world.offered.length).toBeGreaterThan(0);
    expect(rpmdb.packages.map(({ nevra }) => nevra.name)).toContain('redhat-release');
  });

  test.each([
    ['$releasever', '9.9'],
    ['r$releasever_minor', 'r9'],
  ])('a repository at %s is read where rpm says, not os-release', async (written, real) => {
    symlinkSync(path.join(FIXTURES, 'el9'), root.at(real));
    writeFileSync(root.at(REPO), repo(`${root.path}/${written}`));
    const machine = machineOver(root.path, null, { run: rpmThat(Promise.resolve()) });
    const { world, net, config } = await look(machine, REQUEST, listener());
    await net.close();
    expect(config.repos[0]?.baseurl[0]).toContain(real);
    expect(config.variables.releasever).toBe('9.9');
    expect(world.offered.length).toBeGreaterThan(0);
  });
});
