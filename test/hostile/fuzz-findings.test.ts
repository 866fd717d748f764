// Findings of the fuzzer that were faults, made small. (Those that were slow: slow-inputs.test.ts.)
import { describe, expect, test } from '@jest/globals';
import { KpmError } from '../../src/errors.ts';
import { decompress } from '../../src/formats/codec/decompress.ts';
import { parseIni } from '../../src/formats/ini/document.ts';
import { setIniValue } from '../../src/formats/ini/edit.ts';
import { editKpatchConf, readKpatchValues } from '../../src/formats/ini/kpatchconf.ts';
import { merged } from '../../src/observe/config/written.ts';

describe('an INI file', () => {
  test.each(['[main]\n ', '[main]\n \t\n\n[other]\n', '[main]\na=1\n  \r\n'])(
    '%j: blanks do not continue a new value',
    (text) => {
      const [main] = parseIni(setIniValue(text, 'main', 'gpgcheck', '0')).sections;
      expect(main?.entries.findLast(({ key }) => key === 'gpgcheck')?.value).toBe('0');
    },
  );
});

test('sections of one name with 200,000 settings become one', () => {
  const section = parseIni(`[main]\n${'a=1\n'.repeat(200_000)}`).sections[0];
  expect(section).toBeDefined();
  if (section) expect(merged([section, section])[0]?.entries).toHaveLength(400_000);
});

describe('bzip2 without the program', () => {
  const LIAR =
    'QlpoOTFBWSZTWaO9GeoAAlLZgAAQQAUAEC7j3EAwALgKYTTQGmIUwmmgNMQKVKeoaBobUZJsTmTQmCdSdyrImhME+E7k9EwTcTAmSfCrqJoTYq9kwJgnBFwTkToVAATCaE3E5ieSaJgmRNhPxVkiyVfxdyRThQkKO9GeoA==';

  test('a block of 124 bytes that opens to tens of millions takes no more than is allowed, in memory too', async () => {
    async function* bytes(): AsyncIterable<Uint8Array> {
      yield Buffer.from(LIAR, 'base64');
    }
    const missing = (): never => {
      throw new KpmError('program-missing', { text: 'no programs here' });
    };
    const opened = decompress('bzip2', bytes(), { maxBytes: 4 * 1024 * 1024, what: 'the payload' }, missing);
    const before = process.memoryUsage.rss();
    let most = 0;
    const all = async () => {
      for await (const chunk of opened) most += chunk.length;
    };
    await expect(all()).rejects.toMatchObject({ code: 'too-large' });
    expect(most).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1024 * 1024);
  });
});

describe('kpatch.conf', () => {
  test('of 200,000 lines is edited as any other', () => {
    const text = `[main]\n${'\n'.repeat(200_000)}autoupdate = False\n`;
    expect(editKpatchConf(text, { autoupdate: true })).toBe(text.replace('False', 'True'));
  });

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
