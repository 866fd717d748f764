// What was typed, as the history keeps it.
import { describe, expect, test } from '@jest/globals';
import { commandLine } from '../../../src/cli/command-line.ts';

describe('a command line', () => {
  test.each<[string[], string]>([
    [['-y', 'install', 'kpatch-patch = 5.14.0'], "-y install 'kpatch-patch = 5.14.0'"],
    [['list', ''], "list ''"],
    [["it's"], "'it'\\''s'"],
    [['--kernel=5.14.0-1.el9.x86_64', 'auto'], '--kernel=5.14.0-1.el9.x86_64 auto'],
    [['two\nlines'], "'two lines'"],
  ])('%j', (args, line) => expect(commandLine(args)).toBe(line));

  test.each([
    ['--setopt=base.password=secret'],
    ['--setopt', 'base.password=secret'],
    ['--setopt', 'proxy_password=secret'],
    ['--setopt=base.proxy_username=secret'],
    ['--setopt=baseurl=https://me:secret@host.invalid/x'],
    ['--setopt', 'base.proxy=http://secret@host.invalid:3128'],
    ['--repofrompath', 'x,https://me:secret@host.invalid/x'],
    ['--repofrompath=x,https://host.invalid/x?token=secret'],
    ['install', 'https://me:secret@host.invalid/a.rpm'],
    ['install', 'https://host.invalid/a.rpm?sig=secret#secret'],
    ['keys', 'import', 'ftp://me:secret@host.invalid/key'],
    ['install', 'https://me:secret@[bad/x'],
  ])('no credentials in %j %j', (...args) => {
    expect(commandLine(args)).not.toContain('secret');
  });

  test('what is no secret stays', () => {
    expect(commandLine(['--setopt=base.priority=5', '--repofrompath', 'x,https://host.invalid/x'])).toBe(
      '--setopt=base.priority=5 --repofrompath x,https://host.invalid/x',
    );
  });

  test('has an end', () => expect(commandLine(['x'.repeat(10_000)])).toHaveLength(4099));
});
