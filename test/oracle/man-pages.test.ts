// The man pages as mandoc reads them: no fault, and every verb, option and setting is there to be found.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { spellings } from '../../src/cli/completion/tables.ts';
import { OPTIONS } from '../../src/cli/options.ts';
import { VERBS } from '../../src/cli/verbs.ts';
import { KPM_OPTIONS } from '../../src/observe/config/kpm.ts';
import { UNITS } from '../support/man-service-page.ts';
import { needs } from '../support/programs.ts';
import { top } from '../support/top.ts';

const page = (name: string): string => path.join(top, 'docs', 'man', name);
const mandoc = (...args: string[]): string => spawnSync('mandoc', args, { encoding: 'utf8' }).stdout;

/** The page as a terminal shows it, without overstriking. */
const shown = (name: string): string => mandoc('-T', 'ascii', '-O', 'width=400', page(name)).replace(/.\x08/g, '');

needs('mandoc')('man pages', () => {
  test.each(['kpatch-pm.8', 'kpatch-pm.conf.5', 'kpatch-pm-boot.service.8'])('mandoc finds no fault in %s', (name) => {
    // Which other pages this machine has is no fault of ours.
    const found = mandoc('-T', 'lint', page(name)).split('\n');
    expect(found.filter((line) => line !== '' && !line.includes('referenced manual not found'))).toEqual([]);
  });

  test('kpatch-pm(8) has every verb, option and example, to the letter', () => {
    const text = shown('kpatch-pm.8');
    for (const { name, aliases } of VERBS) {
      for (const word of [name, ...aliases]) expect(text).toMatch(new RegExp(`^ {5}${word}( |$)`, 'm'));
    }
    for (const option of OPTIONS) for (const word of spellings(option)) expect(text).toContain(word);
    for (const { examples } of VERBS) for (const { command } of examples) expect(text).toContain(command);
  });

  test('kpatch-pm.conf(5) has every setting', () => {
    const text = shown('kpatch-pm.conf.5');
    for (const { key } of KPM_OPTIONS) expect(text).toMatch(new RegExp(`^ {5}${key}( |$)`, 'm'));
  });

  test('kpatch-pm-boot.service(8) has every unit of the package, and what each runs', () => {
    const directory = path.join(top, 'packaging', 'systemd');
    const units = readdirSync(directory).filter((name) => !name.endsWith('.preset'));
    expect([...UNITS].sort()).toEqual(units.sort());
    const text = shown('kpatch-pm-boot.service.8');
    for (const unit of units) {
      expect(text).toMatch(new RegExp(`^ {5}${unit}$`, 'm'));
      const run = readFileSync(path.join(directory, unit), 'utf8').matchAll(/^Exec\w+=\/usr\/bin\/(.*)$/gm);
      for (const [, command] of run) expect(text).toContain(command);
    }
  });

  test('every unit points to it', () => {
    for (const unit of UNITS) {
      expect(readFileSync(path.join(top, 'packaging', 'systemd', unit), 'utf8')).toContain(
        'Documentation=man:kpatch-pm-boot.service(8)',
      );
    }
  });
});
