// Readers and writers of settings.

import { parseIni } from '../../../src/formats/ini/document.ts';
import { setIniValue } from '../../../src/formats/ini/edit.ts';
import { editKpatchConf, readKpatchValues } from '../../../src/formats/ini/kpatchconf.ts';
import { parseTomlLocks } from '../../../src/observe/config/toml.ts';
import { readBytes, readList, readSeconds } from '../../../src/observe/config/values.ts';
import { heldBy } from '../../../src/observe/config/versionlock.ts';
import { mutate } from '../mutate.ts';
import { insist, type Target } from '../target.ts';

const INI = [
  '[main]\n',
  '[',
  ']',
  '=',
  ':',
  '\n',
  '\r\n',
  '#',
  ';',
  ' ',
  '\t',
  '"',
  'autoupdate',
  'autofilter=True\n',
  'autoupdate = ',
  '\ufeff',
  '\\',
  ',',
  '$',
  '${',
  '}',
];
const INI_SAMPLES = [
  '[main]\ngpgcheck=1\nexcludepkgs = kernel*,\n  kpatch-patch-?\n# a remark\n\n[repo-1]\nname=A repository\nbaseurl=https://one.invalid/$releasever\n  https://two.invalid\nenabled=1\n',
  '[main]\nautoupdate = False\nautofilter=True ; remark\n',
  'autoupdate: yes\n[other]\nautoupdate=1\n',
].map((text) => Buffer.from(text));
const TOML = Buffer.from(
  'version = "1.0"\n[[packages]]\nname = "kpatch-patch-*"\ncomment = "x # y"\n[[packages.conditions]]\nkey = "evr"\ncomparator = "<="\nvalue = "1-2"\n[[packages]]\nname = "a"\nconditions = [ { key = "arch", comparator = "=", value = "x86_64" } ]\n',
);
const TOML_WORDS = [
  '[[packages]]\n',
  '[[packages.conditions]]\n',
  'name = "',
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  ',',
  '\\',
  '#',
  'conditions = [',
  'key = "evr"',
  '*',
  '?',
  '[!a-',
  '=',
  '\n',
];
const NEVRA = { name: 'kpatch-patch-5_14_0-427_13_1', epoch: 0, version: '1', release: '2.el9_4', arch: 'x86_64' };

export function settingTargets(): Target[] {
  return [
    {
      name: 'ini',
      weight: 10,
      make: (random) => mutate(random.pick(INI_SAMPLES), INI_SAMPLES, random, INI),
      run(bytes) {
        const text = bytes.toString('utf8');
        const document = parseIni(text);
        for (const { value } of document.sections.flatMap(({ entries }) => entries)) {
          readList(value);
          readSeconds(value);
          readBytes(value);
        }
        const edited = parseIni(setIniValue(text, 'main', 'gpgcheck', '0'));
        const entries = edited.sections.filter(({ name }) => name === 'main').flatMap((section) => section.entries);
        insist(
          entries.findLast(({ key }) => key === 'gpgcheck')?.value === '0',
          'a value that was set is not read back',
        );
      },
    },
    {
      name: 'kpatch-conf',
      weight: 10,
      make: (random) => mutate(random.pick(INI_SAMPLES), INI_SAMPLES, random, INI),
      run(bytes) {
        const text = bytes.toString('latin1');
        readKpatchValues(text);
        for (const value of [true, false]) {
          const edited = editKpatchConf(text, { autoupdate: value });
          insist(readKpatchValues(edited).autoupdate === value, `autoupdate set to ${value} is not read back`);
          // Once set, setting it again changes nothing.
          insist(
            editKpatchConf(edited, { autoupdate: value }) === edited,
            'a second edit changes what the first wrote',
          );
        }
      },
    },
    {
      name: 'versionlock',
      weight: 6,
      make: (random) => mutate(TOML, [], random, TOML_WORDS),
      run(bytes) {
        const { locks } = parseTomlLocks(bytes.toString('utf8'), 'versionlock.toml');
        heldBy(locks)(NEVRA);
      },
    },
  ];
}
