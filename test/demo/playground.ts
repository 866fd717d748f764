// npm run playground -- DIRECTORY: a root of its own with four kernels, and the embedded repositories configured in it, to try
// every verb by hand. Nothing outside the directory is touched.
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { top } from '../support/top.ts';

const [given] = process.argv.slice(2);
if (given === undefined) {
  console.error('usage: npm run playground -- DIRECTORY');
  process.exit(2);
}
const directory = path.resolve(given);
if (existsSync(directory)) {
  console.error(`${directory} exists already: name a directory that does not.`);
  process.exit(1);
}
const { bin } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8'));
const program = path.join(top, bin['kpatch-pm']);
if (!existsSync(program)) {
  console.error('The program is not built yet: npm run build');
  process.exit(1);
}
const built = path.join(top, 'repo-fixtures', 'built');
const root = path.join(directory, 'root');
const wrapper = path.join(directory, 'bin', 'kpatch-pm');

mkdirSync(path.dirname(wrapper), { recursive: true });
cpSync(path.join(built, 'root'), root, { recursive: true, preserveTimestamps: true });
// Git keeps no empty directories. The kpatch package owns this one.
mkdirSync(path.join(root, 'var/lib/kpatch'), { recursive: true });
writeFileSync(path.join(root, 'etc/dnf/vars/fixture_url'), `file://${built}\n`);
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
writeFileSync(
  wrapper,
  `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(program)} --installroot ${quote(root)} "$@"\n`,
);
chmodSync(wrapper, 0o755);
console.log(`The root is ${root}.`);
console.log(`To work on it: export PATH=${quote(path.dirname(wrapper))}:"$PATH"`);
