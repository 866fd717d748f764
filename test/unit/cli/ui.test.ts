import { describe, expect, test } from '@jest/globals';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { outputTo } from '../../../src/cli/output.ts';
import { terminalUi } from '../../../src/cli/ui.ts';
import { KpmError } from '../../../src/errors.ts';
import { surroundings } from '../../support/surroundings.ts';

interface Scene {
  readonly args?: string[];
  readonly terminal?: number;
  readonly typed?: string[];
}

function scene({ args = [], terminal, typed = [] }: Scene) {
  const around = surroundings({ hostPath: '/', ...(terminal === undefined ? {} : { terminal }), typed });
  const { options } = parseArguments(['status', ...args]);
  let time = 0;
  const clock = { pass: (ms: number) => (time += ms) };
  const output = outputTo(around.stdout, around.stderr, around.env, options);
  const ui = terminalUi(
    output,
    () => around.stdin,
    options,
    () => new Date(time),
  );
  return { ui, out: around.stdout, err: around.stderr, clock };
}

describe('a question', () => {
  test.each([
    [['y'], true],
    [['YES'], true],
    [['n'], false],
    [[''], false],
    [['what?', 'perhaps', 'y'], true],
    [['what?'], false],
    [[], false],
  ])('answered %j is %p', async (typed, answer) => {
    const { ui, out } = scene({ terminal: 80, typed });
    expect(await ui.confirm('Is this ok')).toBe(answer);
    expect(out.text).toMatch(/^Is this ok \[y\/N\]: /);
  });

  test('two questions in a row take two lines', async () => {
    const { ui } = scene({ terminal: 80, typed: ['y', 'n'] });
    expect([await ui.confirm('One'), await ui.confirm('Two')]).toEqual([true, false]);
  });

  test('without a terminal nobody can answer: aborted', async () => {
    const { ui, out } = scene({ typed: ['y'] });
    await expect(ui.confirm('Is this ok')).rejects.toMatchObject({ code: 'aborted', message: 'Operation aborted.' });
    expect(out.text).toBe('');
  });

  test.each([
    [['-y'], true],
    [['--assumeno'], false],
    [['-y', '--assumeno'], false],
  ])('%j answers by itself', async (args, answer) => {
    const { ui, out } = scene({ args });
    expect(await ui.confirm('Is this ok')).toBe(answer);
    expect(out.text).toBe('');
  });

  test('with --json it is asked on standard error', async () => {
    const { ui, out, err } = scene({ args: ['--json'], terminal: 80, typed: ['y'] });
    expect(await ui.confirm('Is this ok [y/N]: ')).toBe(true);
    expect([out.text, err.text]).toEqual(['', 'Is this ok [y/N]: ']);
  });

  test('its text cannot move the cursor', async () => {
    const { ui, out } = scene({ terminal: 80, typed: ['n'] });
    await ui.confirm('Trust \u001b[2J?');
    expect(out.text).toBe('Trust \\u001b[2J? [y/N]: ');
  });
});

describe('remarks', () => {
  test('-q hides notes, not warnings and failures; details need -v', () => {
    const say = (args: string[]): string => {
      const { ui, err } = scene({ args });
      ui.note('note');
      ui.detail('detail');
      ui.warn('warning');
      ui.failure('failure', 'hint');
      return err.text;
    };
    const always = 'Warning: warning\nError: failure\n  hint\n';
    expect(say([])).toBe(`note\n${always}`);
    expect(say(['-q'])).toBe(always);
    expect(say(['-v'])).toBe(`note\ndetail\n${always}`);
  });

  test('are cleaned, line by line', () => {
    const { ui, err } = scene({});
    ui.warn('a\u001b[31m\nb\r');
    expect(err.text).toBe('Warning: a\\u001b[31m\nb\\u000d\n');
  });
});

describe('progress', () => {
  test('nothing without a terminal, nor with -q', () => {
    for (const { ui, err } of [scene({}), scene({ terminal: 80, args: ['-q'] })]) {
      const work = ui.progress('file', 100);
      work.advance(100);
      work.done();
      expect(err.text).toBe('');
    }
  });

  test('one line is drawn over itself, at most ten times a second, and a finished one stays', () => {
    const { ui, err, clock } = scene({ terminal: 60 });
    const work = ui.progress('file', 2048);
    clock.pass(1000);
    work.advance(1024);
    work.advance(1);
    clock.pass(1000);
    work.advance(1023);
    work.done();
    work.done();
    const drawn = err.text.split(/[\r\n]/).filter((line) => line !== '');
    expect(drawn).toEqual(
      [
        'file          50% [=====     ] 1.0 k/s | 1.0 k 00:01 ETA',
        'file         100% [==========] 1.0 k/s | 2.0 k 00:00 ETA',
        'file                           1.0 k/s | 2.0 k 00:02    ',
      ].map((line) => expect.stringMatching(new RegExp(line.replace(/ +/g, ' +').replace(/[[\]|]/g, '\\$&')))),
    );
    expect(drawn.every((line) => line.length === 59)).toBe(true);
    expect(err.text.endsWith('\n')).toBe(true);
  });

  test('a remark does not land in the middle of the line', () => {
    const { ui, err, clock } = scene({ terminal: 60 });
    const work = ui.progress('file', 10);
    clock.pass(500);
    work.advance(5);
    ui.warn('careful');
    expect(err.text.endsWith(`\r${' '.repeat(59)}\rWarning: careful\n`)).toBe(true);
  });
});

test('an aborted question is an error with exit status 1', () => {
  expect(new KpmError('aborted', { text: 'x' }).exit).toBe(1);
});
