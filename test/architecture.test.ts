// The import rule of docs/architecture.md, kept by reading every import in src.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { top } from './support/top.ts';

const src = path.join(top, 'src');

/** Files that are one table. */
const TABLES = ['src/errors.ts', 'src/observe/config/options.ts'];

/** What each room may import, besides itself. `errors` is src/errors.ts. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  errors: [],
  domain: [],
  formats: ['domain', 'errors'],
  host: ['domain', 'formats', 'errors'],
  net: ['domain', 'formats', 'host', 'errors'],
  state: ['domain', 'formats', 'host', 'errors'],
  decide: ['domain'],
  observe: ['domain', 'formats', 'host', 'net', 'state', 'errors'],
  apply: ['domain', 'formats', 'host', 'net', 'state', 'errors'],
  pipeline: ['domain', 'formats', 'host', 'net', 'state', 'errors', 'decide', 'observe', 'apply'],
  usecases: ['domain', 'formats', 'host', 'net', 'state', 'errors', 'decide', 'observe', 'apply', 'pipeline'],
  integrate: [
    'domain',
    'formats',
    'host',
    'net',
    'state',
    'errors',
    'decide',
    'observe',
    'apply',
    'pipeline',
    'usecases',
  ],
  cli: [
    'domain',
    'formats',
    'host',
    'net',
    'state',
    'errors',
    'decide',
    'observe',
    'apply',
    'pipeline',
    'usecases',
    'integrate',
  ],
  bin: ['cli', 'host', 'errors'],
};

const room = (file: string): string => path.relative(src, file).split(path.sep)[0]?.replace(/\.ts$/, '') ?? '';

function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string);
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => path.join(src, name));

describe('the import rule', () => {
  test.each(files.map((file) => [path.relative(top, file)]))('%s', (name) => {
    const file = path.join(top, name);
    const mine = room(file);
    const strangers = imports(file)
      .filter((target) => target.startsWith('.'))
      .map((target) => room(path.resolve(path.dirname(file), target)))
      .filter((target) => target !== mine && !MAY_IMPORT[mine]?.includes(target));
    expect(strangers).toEqual([]);
  });

  test('files read one way: no circle of imports', () => {
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, way: readonly string[]): void => {
      if (way.includes(file))
        circles.push([...way.slice(way.indexOf(file)), file].map((one) => path.relative(src, one)).join(' -> '));
      if (way.includes(file) || done.has(file)) return;
      for (const target of imports(file).filter((name) => name.startsWith('.'))) {
        visit(path.resolve(path.dirname(file), target), [...way, file]);
      }
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  test('deciding and nouns touch no file, network, process or clock', () => {
    const forbidden = /from '(node:|[a-z@])|\bprocess\.|\bDate\.now\(|new Date\(\)|Math\.random/;
    const touched = files
      .filter((file) => ['decide', 'domain'].includes(room(file)))
      .filter((file) => forbidden.test(readFileSync(file, 'utf8')));
    expect(touched.map((file) => path.relative(top, file))).toEqual([]);
  });

  test('no file is longer than 300 lines, tables aside', () => {
    const long = files
      .map((file) => [path.relative(top, file), readFileSync(file, 'utf8').split('\n').length] as const)
      .filter(([name, lines]) => lines > 300 && !TABLES.includes(name));
    expect(long).toEqual([]);
  });
});
