// Install roots of the benchmark: the fixtures' root with a real rpm database, our configuration and dnf's.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { FIXTURES } from '../support/fixtures.ts';

export interface BenchRoot {
  readonly path: string;
  /** Takes our cache away: the next run is a cold one. */
  forget(): void;
}

/** A root that knows one repository, `big`, at `url`. `kernels`: releases below lib/modules. */
export function benchRoot(place: string, url: string, kernels: readonly string[]): BenchRoot {
  rmSync(place, { recursive: true, force: true });
  cpSync(path.join(FIXTURES, 'root'), place, { recursive: true });
  rmSync(path.join(place, 'etc', 'yum.repos.d'), { recursive: true, force: true });
  mkdirSync(path.join(place, 'etc', 'yum.repos.d'));
  const repo = ['[big]', 'name=big', `baseurl=${url}`, 'gpgcheck=1', 'enabled=1', ''].join('\n');
  writeFileSync(path.join(place, 'etc', 'yum.repos.d', 'big.repo'), repo);
  for (const kernel of kernels) {
    const directory = path.join(place, 'lib', 'modules', kernel);
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, 'modules.builtin'), '');
  }
  return {
    path: place,
    forget: () => rmSync(path.join(place, 'var', 'cache', 'kpatch-pm'), { recursive: true, force: true }),
  };
}

/** Processor, cores, memory and system, in one line. */
export function machineText(): string {
  const cpu = /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown processor';
  const cores = readFileSync('/proc/cpuinfo', 'utf8').match(/^processor\s/gm)?.length ?? 1;
  const kB = Number(/^MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const system = /^PRETTY_NAME="?([^"\n]+)/m.exec(release)?.[1] ?? 'Linux';
  return `${cpu}, ${cores} cores, ${Math.round(kB / 1024 / 1024)} GB, ${system}`;
}
