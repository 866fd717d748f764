// The settings file is shared with the dnf plugin. It has two readers there, Python's configparser (the command) and libdnf's
// (the hooks), and one writer; whatever either side writes, the other side reads as the same. Source: dynup/kpatch-dnf.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { editKpatchConf, readKpatchValues } from '../../src/formats/ini/kpatchconf.ts';
import { needs } from '../support/programs.ts';

const dir = mkdtempSync(path.join(os.tmpdir(), 'kpm-plugin-'));
const file = path.join(dir, 'kpatch.conf');
afterAll(() => rmSync(dir, { recursive: true }));

const python = (code: string): string =>
  execFileSync('python3', ['-c', code, file], { encoding: 'utf8', env: { PATH: process.env.PATH } }).trim();

/** The command's reader. */
const BY_CONFIGPARSER = `
import sys, configparser
c = configparser.ConfigParser(); c.read(sys.argv[1])
print(c.getboolean('main', 'autoupdate'), c.getboolean('main', 'autofilter'))`;
/** The hooks' reader. */
const BY_LIBDNF = `
import sys, libdnf
p = libdnf.conf.ConfigParser(); p.read(sys.argv[1])
def b(k):
    try: return libdnf.conf.OptionBool(False).fromString(p.getValue('main', k))
    except Exception as e: return 'unreadable: %s' % e
print(b('autoupdate'), b('autofilter'))`;
/** The command's writer: reads everything, changes one key, writes everything. */
const write = (value: string) => `
import sys, configparser
c = configparser.ConfigParser(); c.read(sys.argv[1])
c.set('main', 'autoupdate', '${value}')
with open(sys.argv[1], 'w') as f: c.write(f)`;

const SHAPES: readonly (readonly [string, string])[] = [
  ['as shipped', '[main]\nautoupdate=False\nautofilter=False\n'],
  ['with comments', '# by the vendor\n[main]\n# the setting\nautoupdate = false\n\nautofilter = 0\n; end\n'],
  ['with other keys', '[main]\nautofilter=no\nother = x\nautoupdate=off\n'],
  ['with no final line break', '[main]\nautofilter=False\nautoupdate=False'],
];

needs('python3')('both directions', () => {
  const readers = [BY_CONFIGPARSER, BY_LIBDNF].filter((code) => code !== BY_LIBDNF || hasLibdnf());

  test.each(SHAPES)('what we write, the plugin reads: %s', (_what, text) => {
    for (const value of [true, false, true]) {
      const before = value ? text : (editKpatchConf(text, { autoupdate: true }) as string);
      writeFileSync(file, editKpatchConf(before, { autoupdate: value }) as string);
      for (const reader of readers) expect(python(reader)).toBe(`${value ? 'True' : 'False'} False`);
    }
  });

  test.each(SHAPES)('what the plugin writes, we read: %s', (_what, text) => {
    for (const value of ['True', 'False']) {
      writeFileSync(file, text);
      python(write(value));
      const read = readKpatchValues(readFileSync(file, 'utf8'));
      expect([read.autoupdate, read.autofilter]).toEqual([value === 'True', false]);
    }
  });

  test('a file that we make from nothing is one that the plugin reads', () => {
    writeFileSync(file, editKpatchConf(null, { autoupdate: true, autofilter: false }) as string);
    for (const reader of readers) expect(python(reader)).toBe('True False');
  });

  test('written in turn by both, many times, the file keeps its meaning and does not grow', () => {
    writeFileSync(file, SHAPES[0]?.[1] as string);
    const sizes: number[] = [];
    for (let n = 0; n < 6; n++) {
      writeFileSync(file, editKpatchConf(readFileSync(file, 'utf8'), { autoupdate: n % 2 === 0 }) as string);
      python(write(n % 2 === 0 ? 'False' : 'True'));
      sizes.push(readFileSync(file, 'utf8').length);
    }
    expect(sizes.slice(4)).toEqual(sizes.slice(2, 4));
  });
});

/** libdnf's Python module comes with dnf 4. */
function hasLibdnf(): boolean {
  try {
    execFileSync('python3', ['-c', 'import libdnf'], { stdio: 'ignore', env: { PATH: process.env.PATH } });
    return true;
  } catch {
    return false;
  }
}
