// Brings node_modules in line with package-lock.json, on a fresh clone and after a pull; does nothing when it already is.
// It uses no package: it runs before there are any.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const top = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const marker = path.join(top, 'node_modules', '.kpatch-pm-lock');
const digest = createHash('sha256')
  .update(readFileSync(path.join(top, 'package-lock.json')))
  .digest('hex');
if (!existsSync(marker) || readFileSync(marker, 'utf8') !== digest) {
  console.error('Installing the packages named in package-lock.json (npm ci) ...');
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: top,
    stdio: ['ignore', 2, 2],
  });
  if (npm.status !== 0) {
    console.error('npm ci failed; see above. Is the npm registry reachable?');
    process.exit(1);
  }
  writeFileSync(marker, digest);
}
