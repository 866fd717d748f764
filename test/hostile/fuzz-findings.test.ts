// Findings of the fuzzer that were faults, made small. (Those that were slow: slow-inputs.test.ts.)
import { describe, expect, test } from '@jest/globals';
import { editKpatchConf, readKpatchValues } from '../../src/formats/ini/kpatchconf.ts';

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
