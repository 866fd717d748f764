import { afterAll, describe, expect, test } from '@jest/globals';
import { heldBy } from '../../../src/observe/config/versionlock.ts';
import { configFrom, removeTrees } from '../../support/config-root.ts';

afterAll(removeTrees);

const nevra = (name: string, version: string, release = '1.el9', epoch = 0) => ({
  name,
  epoch,
  version,
  release,
  arch: 'x86_64',
});
const PATCH = 'kpatch-patch-5_14_0-427_13_1';

function held(files: Record<string, string>, ...packages: ReturnType<typeof nevra>[]): (string | null)[] {
  const hold = heldBy(configFrom(files).versionlocks);
  return packages.map((one) => hold(one)?.text ?? null);
}

describe('versionlock.list', () => {
  const list = (text: string) => ({ 'etc/dnf/plugins/versionlock.list': text });

  test.each([
    ['a locked version', `# Added lock\n${PATCH}-0:1-1.el9.*\n`, [null, `${PATCH}-0:1-1.el9.*`, null]],
    ['an excluded version', `!${PATCH}-0:1-2.el9.*\n`, [null, null, null]],
    ['an excluded one that is offered', `!${PATCH}-0:2-1.el9.*\n`, [null, `!${PATCH}-0:2-1.el9.*`, null]],
    ['several locks of one name', `${PATCH}-0:1-1.el9.*\n${PATCH}-0:2-1.el9.*\n`, [null, null, null]],
    ['a bare name holds nothing', `${PATCH}\n`, [null, null, null]],
    ['nothing', '# only a comment\n\n', [null, null, null]],
  ])('%s', (_what, text, expected) => {
    expect(held(list(text), nevra(PATCH, '1'), nevra(PATCH, '2'), nevra('bash', '5'))).toEqual(expected);
  });

  test('locklist and enabled of the plug-in', () => {
    const files = {
      'etc/dnf/plugins/versionlock.conf': '[main]\nenabled = 1\nlocklist = /etc/locks\n',
      'etc/locks': '!bash-0:5*\n',
    };
    expect(held(files, nevra('bash', '5'))).toEqual(['!bash-0:5*']);
    const off = { ...files, 'etc/dnf/plugins/versionlock.conf': '[main]\nenabled=0\nlocklist=/etc/locks\n' };
    expect(held(off, nevra('bash', '5'))).toEqual([null]);
  });

  test('each rule knows its line', () => {
    const { versionlocks } = configFrom(list('# c\n\nbash-0:5-1.*\n!zsh\n'));
    expect(versionlocks.map(({ pattern, exclude, origin }) => [pattern, exclude, origin.line])).toEqual([
      ['bash-0:5-1.*', false, 3],
      ['zsh', true, 4],
    ]);
  });
});

describe('versionlock.toml', () => {
  const toml = (text: string) => ({ 'etc/dnf/versionlock.toml': text });
  const rule = (conditions: string) =>
    toml(`version = "1.0"\n\n[[packages]]\nname = "${PATCH}" # mine\ncomment = "a # b"\n${conditions}`);
  const condition = (key: string, comparator: string, value: string) =>
    `[[packages.conditions]]\nkey = "${key}"\ncomparator = "${comparator}"\nvalue = '${value}'\n`;

  test.each([
    ['=', condition('evr', '=', '0:1-1.el9'), [false, true, true]],
    ['= without release', condition('evr', '=', '1'), [false, true, true]],
    ['<', condition('evr', '<', '0:2-1.el9'), [false, true, true]],
    ['<=', condition('evr', '<=', '0:2-1.el9'), [false, false, true]],
    ['!=', condition('evr', '!=', '0:2-1.el9'), [false, true, false]],
    ['>=', condition('evr', '>=', '0:2-1.el9'), [true, false, false]],
    ['arch', condition('arch', '=', 'x86_64'), [false, false, false]],
    ['epoch', condition('epoch', '<', '1'), [false, false, false]],
    ['all must hold', condition('evr', '>', '1-1.el9') + condition('evr', '<', '3-1.el9'), [true, false, true]],
    ['inline', 'conditions = [\n  { key = "evr", comparator = "=", value = "0:1-1.el9" }\n]\n', [false, true, true]],
  ])('%s', (_what, conditions, expected) => {
    const found = held(rule(conditions), nevra(PATCH, '1'), nevra(PATCH, '2'), nevra(PATCH, '3'), nevra('bash', '1'));
    expect(found.map((text) => text !== null)).toEqual([...expected, false]);
  });

  test.each([
    ['a condition without value', '[[packages.conditions]]\nkey="evr"\ncomparator="="\n', 3],
    ['an unknown comparator', condition('evr', '~', '1'), 3],
    ['no conditions', '', 3],
    ['a value that is no text', '[[packages.conditions]]\nkey="evr"\ncomparator="="\nvalue=[1]\n', 9],
  ])('%s is named, and no rule', (_what, conditions, line) => {
    const { versionlocks, notices } = configFrom(rule(conditions));
    expect(versionlocks).toEqual([]);
    expect(notices).toEqual([
      { code: 'versionlock-odd', text: expect.stringContaining(`versionlock.toml line ${line}:`) },
    ]);
  });
});
