// `npm test`: the checks and tests that need nothing but Node; what a missing program made us leave out is named at the end.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { top } from './top.ts';

/** Which Debian or RPM package brings a program, where its name does not say. */
const PACKAGE_OF: Record<string, string> = {
  rpmbuild: 'rpm (Debian) or rpm-build',
  rpmsign: 'rpm (Debian) or rpm-sign',
  rpmkeys: 'rpm',
  rpm2cpio: 'rpm',
  createrepo_c: 'createrepo-c (Debian) or createrepo_c',
  modifyrepo_c: 'createrepo-c (Debian) or createrepo_c',
  'qemu-system-x86_64': 'qemu-system-x86 (Debian) or qemu-kvm',
  gpg: 'gnupg (Debian) or gnupg2',
  xz: 'xz-utils (Debian) or xz',
  modinfo: 'kmod',
  readelf: 'binutils',
  'ansible-doc': 'ansible-core',
  'ansible-galaxy': 'ansible-core',
  'ansible-playbook': 'ansible-core',
  promtool: 'prometheus',
};

function step(title: string, command: string, args: string[], env: NodeJS.ProcessEnv = process.env): boolean {
  console.log(`\n== ${title}`);
  const ended = spawnSync(command, args, { cwd: top, stdio: ['ignore', 'inherit', 'inherit'], env });
  return ended.status === 0;
}

const scratch = mkdtempSync(path.join(tmpdir(), 'kpatch-pm-tests-'));
const leftOut = path.join(scratch, 'left-out');
writeFileSync(leftOut, '');
const bin = (name: string) => path.join(top, 'node_modules', '.bin', name);
const failed: string[] = [];
const check = (title: string, command: string, args: string[], env?: NodeJS.ProcessEnv): void => {
  if (!step(title, command, args, env)) failed.push(title);
};

check('types', bin('tsc'), ['-p', 'tsconfig.json']);
check('style', bin('biome'), ['check', '--error-on-warnings', '.']);
check('build', process.execPath, ['packaging/build.mjs']);
check('tests', process.execPath, ['packaging/run-ts.mjs', 'test/support/run-jest.ts', ...process.argv.slice(2)], {
  ...process.env,
  KPATCH_PM_LEFT_OUT: leftOut,
});

const missing = [...new Set(readFileSync(leftOut, 'utf8').split('\n').filter(Boolean))].sort();
if (missing.length > 0) {
  console.log('\nLeft out for want of a program (install it and run again to have these tests too):');
  for (const name of missing) console.log(`  ${name}${PACKAGE_OF[name] ? `: package ${PACKAGE_OF[name]}` : ''}`);
}
rmSync(scratch, { recursive: true });
if (failed.length > 0) {
  console.log(`\nFailed: ${failed.join(', ')}`);
  process.exit(1);
}
