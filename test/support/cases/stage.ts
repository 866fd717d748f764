// Builds the machine a case describes below a temporary directory, which plays the running system.
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { moduleName } from '../../../src/decide/schemes/rhel.ts';
import { type KernelRelease, kernelRelease } from '../../../src/domain/kernel.ts';
import { parseNevra } from '../../../src/domain/nevra.ts';
import { RECEIPT_FORMAT, type Receipt } from '../../../src/domain/receipt.ts';
import { receiptPath, receiptText } from '../../../src/state/receipts.ts';
import { elf, modinfo, thisModule } from '../elf.ts';
import { FIXTURES } from '../fixtures.ts';
import { pairs, type Section, words } from './parse.ts';
import { writeRepository } from './repository.ts';

export interface Stage {
  readonly path: string;
  /** `uname -r`. */
  readonly uname: string;
}

const LONG_AGO = new Date('2025-06-01T00:00:00Z');

function put(top: string, file: string, text: string, mode = 0o644): void {
  const whole = path.join(top, file);
  mkdirSync(path.dirname(whole), { recursive: true });
  writeFileSync(whole, text, { mode });
  // Configuration is older than any metadata fetched while the case's clock runs.
  utimesSync(whole, LONG_AGO, LONG_AGO);
}

function named(release: string): KernelRelease {
  const kernel = kernelRelease(release);
  if (kernel === null) throw new Error(`${release} is no kernel release`);
  return kernel;
}

/** Makes the machine of a case; the caller removes the directory. */
export function buildStage(sections: readonly Section[]): Stage {
  const top = mkdtempSync(path.join(os.tmpdir(), 'kpm-case-'));
  put(top, 'etc/dnf/dnf.conf', '[main]\n');
  let uname: string | null = null;
  for (const section of sections) {
    switch (section.name) {
      case 'KERNELS':
        for (const [release = '', state] of words(section)) {
          put(top, `lib/modules/${named(release)}/modules.builtin`, '');
          if (state === 'running') uname = release;
        }
        break;
      case 'REPO':
        repository(top, section, sections);
        break;
      case 'SERVED':
        served(top, section.title.split(/\s+/));
        break;
      case 'INSTALLED':
        for (const [nevra = '', ...more] of words(section)) installed(top, nevra, pairs(more));
        break;
      case 'FOREIGN':
        for (const [file = ''] of words(section)) put(top, `var/lib/kpatch/${file}`, 'somebody made this\n');
        break;
      case 'MODULE':
        module(top, section.title.split(/\s+/));
        break;
      case 'LOADED':
        for (const [module = '', ...states] of words(section)) loaded(top, module, states);
        break;
      case 'CONFIG':
        put(top, section.title, section.text);
        break;
    }
  }
  // Where no kernel runs, the stage is a container: the mark podman leaves.
  if (uname === null) put(top, 'run/.containerenv', '');
  return { path: top, uname: uname ?? 'the-one-outside' };
}

function repoFile(top: string, [id = '', ...options]: readonly string[], directory: string): void {
  const lines = [`[${id}]`, `name=${id}`, `baseurl=file://${directory}`, 'enabled=1', 'gpgcheck=1', ...options];
  put(top, `etc/yum.repos.d/${id}.repo`, `${lines.join('\n')}\n`);
}

/** A copy of a built fixture repository below the stage, and the key its packages are signed with. */
function served(top: string, [name = '', ...options]: readonly string[]): void {
  cpSync(path.join(FIXTURES, name), path.join(top, 'srv', name), { recursive: true });
  cpSync(path.join(FIXTURES, 'keys'), path.join(top, 'srv', 'keys'), { recursive: true });
  repoFile(top, [name, 'gpgkey=file:///srv/keys/RPM-GPG-KEY-fixtures', ...options], `/srv/${name}`);
}

function repository(top: string, section: Section, all: readonly Section[]): void {
  const [id = '', ...options] = section.title.split(/\s+/);
  // What people and repositories name counts from the running system, which here is the stage.
  repoFile(top, [id, ...options], `/srv/${id}`);
  const offers = words(section).map(([nevra = '', ...more]) => ({ nevra, with: pairs(more) }));
  const advisories = all
    .filter(({ name, title }) => name === 'ADVISORY' && title.split(/\s+/)[0] === id)
    .map((one) => {
      const [, advisory = '', ...more] = one.title.split(/\s+/);
      return { id: advisory, with: pairs(more), packages: words(one).map(([nevra = '']) => nevra) };
    });
  writeRepository(path.join(top, 'srv', id), offers, advisories);
}

/** A package as kpatch-pm itself would have left it: receipt and module file. `for=KERNEL [empty] [gone] [changed] [signed] [fixes=CVE,...]` */
function installed(top: string, text: string, given: Record<string, string>): void {
  const nevra = parseNevra(text);
  if (nevra === null || given.for === undefined) throw new Error(`@INSTALLED needs NEVRA for=KERNEL: ${text}`);
  const kernel = named(given.for);
  const module = moduleName(nevra);
  const file = `${module}.ko`;
  const content = `module of ${text}\n`;
  const sha256 = createHash('sha256').update(content).digest('hex');
  const files = given.empty === undefined ? [{ file, module, size: content.length, sha256 }] : [];
  const receipt = receiptText({
    format: RECEIPT_FORMAT,
    kernel,
    package: nevra,
    repo: 'base',
    url: null,
    signer: given.signed === undefined ? null : { fingerprint: 'A'.repeat(40), keyid: 'A'.repeat(16), owner: 'Vendor' },
    packageSha256: '0'.repeat(64),
    files,
    installedAt: '2025-12-01T00:00:00.000Z',
    by: '0.0.0-test',
    askedBy: 'kpatch-pm install (root)',
    registered: false,
    ...changelog(given.fixes),
  });
  put(top, receiptPath(kernel, nevra.name), receipt, 0o600);
  chmodSync(path.join(top, 'var/lib/kpatch-pm'), 0o700);
  if (files.length === 0 || given.gone !== undefined) return;
  put(top, `var/lib/kpatch/${kernel}/${file}`, given.changed === undefined ? content : 'changed since\n');
}

/** A changelog as vendors write it: one line a CVE. */
function changelog(fixes: string | undefined): Pick<Receipt, 'changelog'> {
  if (fixes === undefined) return {};
  const lines = fixes.split(',').map((cve) => `- kernel: a fault is mended [1] {${cve}}`);
  return { changelog: [{ time: 1_700_000_000, author: 'Vendor <v@case.invalid> [1-1]', text: lines.join('\n') }] };
}

/** A module file that a person built: `FILE NAME KVER [driver]`. */
function module(top: string, [file = '', name = '', kernel = '', kind]: readonly string[]): void {
  const info = [`vermagic=${kernel} SMP mod_unload `, `name=${name}`, ...(kind === 'driver' ? [] : ['livepatch=Y'])];
  const sections = { '.modinfo': modinfo(...info), '.gnu.linkonce.this_module': thisModule(name) };
  mkdirSync(path.join(top, path.dirname(file)), { recursive: true });
  writeFileSync(path.join(top, file), elf({ sections }));
}

function loaded(top: string, module: string, states: readonly string[]): void {
  const directory = `sys/kernel/livepatch/${module}`;
  put(top, `${directory}/enabled`, states.includes('disabled') ? '0\n' : '1\n');
  put(top, `${directory}/transition`, states.includes('transition') ? '1\n' : '0\n');
  put(top, `sys/module/${module}/refcnt`, '1\n');
}
