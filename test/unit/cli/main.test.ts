// The program from its arguments to its exit status, as far as it goes without a repository.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { main } from '../../../src/cli/main.ts';
import type { OptionSpec } from '../../../src/cli/option-spec.ts';
import { OPTIONS } from '../../../src/cli/options.ts';
import { VERBS } from '../../../src/cli/verbs.ts';
import { surroundings, type Told } from '../../support/surroundings.ts';

let host = '';
beforeAll(() => {
  host = mkdtempSync(path.join(os.tmpdir(), 'kpm-main-'));
});
afterAll(() => rmSync(host, { recursive: true }));

async function run(args: string[], told: Partial<Told> = {}) {
  const around = surroundings({ hostPath: host, ...told });
  const status = await main(args, around);
  return { status, out: around.stdout.text, err: around.stderr.text };
}

describe('help and version', () => {
  test('the version is one line', async () => {
    expect(await run(['--version'])).toEqual({ status: 0, out: 'kpatch-pm 0.0.0-test\n', err: '' });
    // Not the plain form: the parser answers the same.
    expect(await run(['-q', '--version'])).toEqual({ status: 0, out: 'kpatch-pm 0.0.0-test\n', err: '' });
  });

  test('the help names every verb and every option', async () => {
    const { status, out, err } = await run(['--help']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    for (const { name } of VERBS) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
    const specs: readonly OptionSpec[] = OPTIONS;
    for (const { name, verbs } of specs) {
      const pages = verbs === undefined ? [out] : await Promise.all(verbs.map(async (v) => (await run([v, '-h'])).out));
      for (const page of pages) expect(page).toMatch(new RegExp(`^  .*--${name}\\b`, 'm'));
    }
    expect(await run(['-h'])).toMatchObject({ out });
    expect(await run(['--help', '--quiet'])).toMatchObject({ out });
  });

  test.each([60, 80, 100, 200])('no line of any help is wider than %p columns', async (columns) => {
    const pages = [['--help'], ...VERBS.map(({ name }) => [name, '--help'])];
    for (const page of pages) {
      const { out } = await run(page, { env: { COLUMNS: String(columns) } });
      // A command is never broken: it is there to be copied.
      const long = out.split('\n').filter((line) => line.length > Math.min(columns, 100));
      expect(long.filter((line) => !line.startsWith('  kpatch-pm '))).toEqual([]);
    }
  });

  test.each(VERBS.map(({ name }) => name))('the help of %s has usage and examples', async (verb) => {
    const { status, out } = await run([verb, '--help']);
    expect(status).toBe(0);
    expect(out).toMatch(new RegExp(`^Usage: kpatch-pm \\[OPTION\\.\\.\\.\\] ${verb}\\b`));
    expect(out).toMatch(/^Examples:\n {2}kpatch-pm /m);
    expect(await run(['-v', verb, '-h'])).toMatchObject({ status: 0, out });
  });
});

describe('wrong usage', () => {
  test('is told on standard error, with status 2', async () => {
    expect(await run(['stauts'])).toEqual({
      status: 2,
      out: '',
      err: 'Error: There is no verb stauts.\n  Did you mean `kpatch-pm status`? See `kpatch-pm --help`.\n',
    });
  });

  test('with --json there is an object too', async () => {
    const { status, out, err } = await run(['status', '--json', '--color=sometimes']);
    expect(status).toBe(2);
    expect(JSON.parse(out)).toEqual({
      format: 1,
      error: {
        code: 'usage',
        text: '--color cannot be "sometimes": it must be auto, always, never.',
        subject: 'status',
        hint: 'See `kpatch-pm status --help`.',
      },
    });
    expect(err).toMatch(/^Error: --color cannot be/);
  });

  test('a --json after -- is no option', async () => {
    expect((await run(['status', '--', '--json'])).out).toBe('');
  });

  test('an --installroot that is not there', async () => {
    const { status, err } = await run(['status', '--installroot', `${host}/nowhere`]);
    expect(status).toBe(2);
    expect(err).toContain('is not a directory that can be opened');
  });
});

test('colour on standard error only where it is wanted', async () => {
  const plain = await run(['x']);
  expect(plain.err).not.toContain('\u001b');
  expect((await run(['x'], { terminal: 80 })).err).toContain('\u001b[1m\u001b[31mError:');
  expect((await run(['x'], { terminal: 80, env: { NO_COLOR: '1' } })).err).toBe(plain.err);
  expect((await run(['x'], { terminal: 80, env: { TERM: 'dumb' } })).err).toBe(plain.err);
});
