// Standard output as the program writes it, into everything it may be connected to.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { needs } from '../../support/programs.ts';
import { top } from '../../support/top.ts';

let scratch: string;
let script: string;

// Writes two lines, more than a pipe holds, to both; then says at the end how it went.
const BODY = `import { standardStream } from './src/host/standard.ts';
const [out, err] = [standardStream(1), standardStream(2)];
const long = 'x'.repeat(100_000);
out.write('one ' + out.isTTY + ' ' + (out.columns ?? 'no columns') + '\\n');
out.write(long + '\\n');
err.write('two\\n');
out.write('three\\n');
out.flush(() => err.flush(() => process.exit(7)));
`;
const EXPECTED = `one false no columns\n${'x'.repeat(100_000)}\nthree\n`;

beforeAll(async () => {
  scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-standard-'));
  script = path.join(scratch, 'script.mjs');
  await build({
    stdin: { contents: BODY, resolveDir: top, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: script,
  });
});
afterAll(() => rmSync(scratch, { recursive: true }));

test('a pipe', () => {
  const done = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  expect(done).toMatchObject({ status: 7, stdout: EXPECTED, stderr: 'two\n' });
});

test('a file, behind what is there', () => {
  const file = path.join(scratch, 'out');
  writeFileSync(file, 'before\n');
  const fd = openSync(file, 'a');
  expect(spawnSync(process.execPath, [script], { stdio: ['ignore', fd, 'pipe'] }).status).toBe(7);
  closeSync(fd);
  expect(readFileSync(file, 'utf8')).toBe(`before\n${EXPECTED}`);
});

test('nowhere', () => {
  const done = spawnSync(process.execPath, [script], { stdio: 'ignore' });
  expect(done.status).toBe(7);
});

const shell = (command: string) =>
  spawnSync('/bin/bash', ['-c', command, 'bash', process.execPath, script], { encoding: 'utf8' });

test('a closed descriptor', () => {
  expect(shell('"$1" "$2" >&-')).toMatchObject({ status: 7, stderr: 'two\n' });
});

test('a full disk, and a reader that goes away: the text is lost, the run is not', () => {
  expect(shell('"$1" "$2" >/dev/full')).toMatchObject({ status: 7, stderr: 'two\n' });
  expect(shell('{ "$1" "$2"; echo "$?" >&2; } | true')).toMatchObject({ status: 0, stderr: 'two\n7\n' });
});

needs('python3')('a pipe that somebody made non-blocking', () => {
  test('gets everything', () => {
    const run =
      'import os, subprocess, sys, time\n' +
      'r, w = os.pipe(); os.set_blocking(w, False)\n' +
      'p = subprocess.Popen(sys.argv[1:], stdout=w, stderr=subprocess.DEVNULL); os.close(w); time.sleep(0.5)\n' +
      'data = b""\n' +
      'while (piece := os.read(r, 65536)): data += piece\n' +
      'sys.stdout.write(f"{p.wait()} " + data.decode())\n';
    const done = spawnSync('python3', ['-c', run, process.execPath, script], { encoding: 'utf8' });
    expect(done.stdout).toBe(`7 ${EXPECTED}`);
  });
});

needs('script')('a terminal', () => {
  test('is known as one', () => {
    const done = spawnSync('script', ['-qec', `${process.execPath} ${script}`, '/dev/null'], { encoding: 'utf8' });
    expect(done.stdout).toMatch(/^one true \d+\r\n/);
    expect(done.stdout.replaceAll('\r', '')).toContain('three\n');
  });
});
