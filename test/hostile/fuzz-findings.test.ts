// Findings of the fuzzer that were faults, made small. (Those that were slow: slow-inputs.test.ts.)
import { describe, expect, test } from '@jest/globals';
import { parseIni } from '../../src/formats/ini/document.ts';
import { setIniValue } from '../../src/formats/ini/edit.ts';
import { editKpatchConf, readKpatchValues } from '../../src/formats/ini/kpatchconf.ts';

describe('an INI file', () => {
  test.each(['[main]\n ', '[main]\n \t\n\n[other]\n', '[main]\na=1\n  \r\n'])(
    '%j: blanks do not continue a new value',
    (text) => {
      const [main] = parseIni(setIniValue(text, 'main', 'gpgcheck', '0')).sections;
      expect(main?.entries.findLast(({ key }) => key === 'gpgcheck')?.value).toBe('0');
    },
  );
});

describe('kpatch.conf', () => {
  test.each(['\r', '[main]\r', 'autoupdate=1\r', '[main]\nautofilter=1\r', '[main]\r\nautofilter=1\r'])(
    '%j, which ends in half a line end: what was set once is set',
    (text) => {
      for (const value of [true, false]) {
        const edited = editKpatchConf(text, { autoupdate: value });
        expect(readKpatchValues(edited).autoupdate).toBe(value);
        expect(editKpatchConf(edited, { autoupdate: value })).toBe(edited);
      }
    },
  );
});
