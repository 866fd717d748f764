// What is measured: our commands, dnf's for the same work, and the floors nobody gets below.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { BenchRoot } from './machine.ts';
import { type Command, ENV } from './measure.ts';
import type { BenchRepository } from './repository.ts';

export const LABELS = {
  node: 'node -e 0',
  unpack: 'unpack primary, wc -c',
  version: 'kpatch-pm --version',
  help: 'kpatch-pm --help',
  cold: 'kpatch-pm --refresh install --dry-run, no cache',
  warm: 'kpatch-pm status, warm',
  bare: 'kpatch-pm status, warm, nothing compiled',
  dnfCold: 'dnf repoquery, no cache',
  dnfWarm: 'dnf -C repoquery, warm',
} as const;

/** Programs that are looked for where the system has them. */
export const installed = (program: string): boolean =>
  ['/usr/bin', '/usr/sbin', '/bin'].some((place) => existsSync(`${place}/${program}`));

function quietly([program = '', ...args]: string[]): void {
  const { status, stderr } = spawnSync(program, args, { env: ENV, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with status ${status}: ${stderr}`);
}

/** dnf kept off the host: its own root, cache and list of repositories. */
function dnf(root: string, cache: string, url: string): string[] {
  return [
    'dnf',
    '-q',
    `--installroot=${root}`,
    '--releasever=9',
    '--disableplugin=*',
    '--setopt=reposdir=/dev/null',
    `--setopt=cachedir=${cache}`,
    `--repofrompath=big,${url}`,
    '--repo=big',
    '--nogpgcheck',
  ];
}

const QUERY = ['repoquery', '--latest-limit=1', 'kpatch-patch-*'];

/** Everything for one repository. `program`: the built file, `bare`: the same without compiled code, `node`: what they run on. */
export function workOn(
  repository: BenchRepository,
  root: BenchRoot,
  scratch: string,
  { node, program, bare, peer }: { node: string; program: string; bare: string; peer: boolean },
): Map<string, Command> {
  const ours = (...args: string[]): string[] => [node, program, '--installroot', root.path, ...args];
  const cat = repository.compress === 'gz' ? 'gzip -dc' : 'zstd -dcq';
  const commands = new Map<string, Command>([
    [LABELS.node, { argv: [node, '-e', '0'] }],
    [LABELS.unpack, { argv: ['sh', '-c', `${cat} "$1" | wc -c`, 'sh', repository.primary] }],
    [LABELS.version, { argv: [node, program, '--version'] }],
    [LABELS.help, { argv: [node, program, '--help'] }],
    [LABELS.cold, { argv: ours('--refresh', 'install', '--dry-run'), before: () => root.forget() }],
    // Once before, unmeasured: the cold run before it has emptied the cache.
    [LABELS.warm, { argv: ours('status'), before: () => quietly(ours('status')) }],
    [LABELS.bare, { argv: [node, bare, ...ours('status').slice(2)] }],
  ]);
  if (!peer) return commands;
  const empty = path.join(scratch, 'dnf-root');
  const cache = path.join(scratch, 'dnf-cache');
  mkdirSync(empty, { recursive: true });
  const words = dnf(empty, cache, `file://${repository.directory}`);
  commands.set(LABELS.dnfCold, {
    argv: [...words, ...QUERY],
    before: () => rmSync(cache, { recursive: true, force: true }),
  });
  commands.set(LABELS.dnfWarm, { argv: [...words, '-C', ...QUERY] });
  return commands;
}
