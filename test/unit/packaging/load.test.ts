// The loader of the built program: what it gives, what it leaves until it is used, and which compiled code it runs.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import type { Script } from 'node:vm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { COMPILED, headOf, late, loader } from '../../../packaging/load.ts';

const require = createRequire(import.meta.url);
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-load-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const put = (name: string, text: string | Buffer): void => writeFileSync(path.join(directory, name), text);
const load = (wanted: string, asked: string[] = []): object =>
  loader({
    directory,
    require: (name) => {
      asked.push(name);
      return require(name);
    },
  })(wanted);

describe('files', () => {
  test('are run once, and give their exports or one of them', () => {
    put('one.cjs', 'exports.list = []; exports.part = { name: "part" };');
    put('two.cjs', 'require("./one.cjs").list.push(2); exports.list = require("./one.cjs").list;');
    expect(load('./two.cjs')).toEqual({ list: [2] });
    expect(load('./one.cjs#part')).toEqual({ name: 'part' });
  });

  test('know where they are', () => {
    put('where.cjs', 'module.exports = [__filename, __dirname];');
    expect(load('./where.cjs')).toEqual([path.join(directory, 'where.cjs'), directory]);
  });
});

describe('modules of node', () => {
  test('that cost time are loaded with the first name that is asked for', () => {
    const asked: string[] = [];
    put('hash.cjs', 'const c = require("node:crypto"); exports.hash = () => c.createHash("sha256").digest("hex");');
    const { hash } = load('./hash.cjs', asked) as { hash(): string };
    expect(asked).not.toContain('node:crypto');
    expect(hash()).toMatch(/^e3b0c442/);
    expect(asked).toContain('node:crypto');
  });

  test('come with a default, as modules do', () => {
    const given = load('node:path') as { default: typeof path; join: typeof path.join };
    expect(given.default).toBe(require('node:path'));
    expect(given.join('a', 'b')).toBe('a/b');
  });

  test('are the real ones for packages, which may inherit from them', () => {
    put('package-a.cjs', 'exports.Mine = class extends require("node:events") {}; exports.c = require("node:crypto");');
    const { Mine, c } = load('./package-a.cjs') as { Mine: new () => object; c: object };
    expect(new Mine()).toBeInstanceOf(require('node:events'));
    expect(c).toBe(require('node:crypto'));
  });

  test('are asked for once', () => {
    let asked = 0;
    const given = late(() => {
      asked++;
      return { two: 2 };
    }) as { two: number; three?: number; default: object };
    expect(asked).toBe(0);
    expect([given.two, given.default, 'two' in given, 'three' in given, asked]).toEqual([
      2,
      { two: 2 },
      true,
      false,
      1,
    ]);
  });
});

// V8 compares the length of the text only. So code that was compiled from another text of the same length shows itself.
describe('compiled code', () => {
  const build = (id: string): void => {
    Object.assign(globalThis, { KPATCH_PM_BUILD: id });
  };
  const keep = (head: (code: Buffer) => string, code: Buffer): void => {
    mkdirSync(path.join(directory, COMPILED), { recursive: true });
    put(`${COMPILED}/a.cjs`, Buffer.concat([Buffer.from(`${head(code)}\n`), code]));
  };
  // Never the same text twice: a newer V8 remembers, within a process, what it once took for the code of a text.
  let turn = 100;
  const other = (): Buffer => {
    turn++;
    put('a.cjs', `exports.x = 1; // ${turn}`);
    let made: Script | null = null;
    loader({ directory, require, seen: (_, script) => (made = script) })('./a.cjs');
    put('a.cjs', `exports.x = 2; // ${turn}`);
    return (made as unknown as Script).createCachedData();
  };
  const x = (): number => (load('./a.cjs') as { x: number }).x;

  beforeEach(() => {
    build('one');
    rmSync(path.join(directory, COMPILED), { recursive: true, force: true });
  });

  test('is used where it fits', () => {
    keep(headOf, other());
    expect(x()).toBe(1);
  });

  test('counts only for the files it was made of', () => {
    keep(headOf, other());
    build('two');
    expect(x()).toBe(2);
  });

  test('counts only for the node that made it', () => {
    keep((code) => headOf(code).replace(`"node":"${process.versions.node}"`, '"node":"20.0.0"'), other());
    expect(x()).toBe(2);
  });

  test('is not used when it is cut off', () => {
    keep(headOf, other());
    const file = path.join(directory, COMPILED, 'a.cjs');
    writeFileSync(file, readFileSync(file).subarray(0, -1));
    expect(x()).toBe(2);
  });

  test('that is none does no harm', () => {
    other();
    mkdirSync(path.join(directory, COMPILED));
    for (const text of ['', '\n', 'nonsense', 'non\nsense']) {
      put(`${COMPILED}/a.cjs`, text);
      expect(x()).toBe(2);
    }
  });
});
