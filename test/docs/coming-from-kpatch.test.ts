// docs/coming-from-kpatch.md: its commands are run on one machine, and it has every command of the utility.
import { afterAll, describe, expect, test } from '@jest/globals';
import { KERNELS } from '../support/fixtures.ts';
import { commandsOf, KNOWN, pageMachine, readPage, unanswered } from '../support/page-run.ts';

const page = readPage('coming-from-kpatch.md');
const { K1, K2 } = KERNELS;
const machine = pageMachine(
  `@KERNELS
${K1} running
${K2}

@SERVED el9

@INSTALLED
kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64 for=${K1}

@LOADED
kpatch_5_14_0_427_13_1_1_2

@MODULE root/my-fix.ko my_fix ${K1}

@MODULE root/other-fix.ko other_fix ${K2}
`,
  K1,
);
afterAll(() => machine.remove());

describe('docs/coming-from-kpatch.md', () => {
  const all = commandsOf(page);

  test.each(all.map((command, n) => [n + 1, command.line, command] as const))('%i: %s', async (_, __, command) => {
    const { status, out, err } = await machine.run(command);
    expect({ status, out, err }).toEqual({ status: command.status, out, err });
  });

  test('names every command of the utility', () => {
    for (const command of ['list', 'info', 'version', 'install', 'uninstall', 'load', 'load --all', 'signal']) {
      expect(page).toMatch(new RegExp(`^# kpatch ${command}\\b`, 'm'));
    }
    for (const command of ['unload', 'unload --all', 'force unload']) expect(page).toContain(`\`kpatch ${command}`);
  });

  test('each of those commands stands above one of ours', () => {
    expect(page.split('\n').filter((line) => KNOWN.test(line)).length).toBeGreaterThan(10);
    expect(unanswered(page)).toEqual([]);
  });
});
