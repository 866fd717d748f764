// Builds real packages with rpmbuild, in a temporary directory of its own.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { realRun } from '../../src/host/run.ts';

export interface Built {
  /** Path of the package file; gone after `remove`. */
  readonly file: string;
  readonly bytes: Buffer;
  remove(): void;
}

/**
 * Runs rpmbuild on a spec; gives the binary package, or with `source` the source package.
 * `defines`: macros by name, e.g. `{ _binary_payload: 'w19.zstdio' }`.
 */
export async function buildRpm(spec: string, defines: Record<string, string> = {}, source = false): Promise<Built> {
  const top = mkdtempSync(path.join(tmpdir(), 'build-rpm-'));
  writeFileSync(path.join(top, 'a.spec'), spec);
  const all = { _topdir: top, _rpmdir: top, _srcrpmdir: top, _build_id_links: 'none', ...defines };
  const args = [
    source ? '-bs' : '-bb',
    ...Object.entries(all).flatMap(([name, value]) => ['--define', `${name} ${value}`]),
  ];
  const result = await realRun.run('rpmbuild', [...args, path.join(top, 'a.spec')]);
  if (result.status !== 0) throw new Error(`rpmbuild failed: ${result.stderr}`);
  const found = readdirSync(top, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.rpm'));
  if (found === undefined) throw new Error(`rpmbuild made no package: ${result.stderr}`);
  const file = path.join(top, found);
  return { file, bytes: readFileSync(file), remove: () => rmSync(top, { recursive: true, force: true }) };
}

/** A package with everything a payload can hold: files, an empty one, directories, links, hard links, a ghost. */
export const SPEC_OF_ALL_KINDS = `
Name: kinds
Epoch: 3
Version: 1.2
Release: 4%{?dist}
Summary: All kinds of files
License: MIT
BuildArch: noarch
Requires: kernel-uname-r = 5.14.0-1.el9.x86_64, kpatch >= 0.6.1-1, plain
Provides: kpatch-patch = 5.14.0-1.el9
Conflicts: kinds < 3:1.2-4
Obsoletes: older <= 1
%description
All kinds.
%install
mkdir -p %{buildroot}/usr/lib/kpatch/k
cd %{buildroot}/usr/lib/kpatch/k
for n in $(seq 1 3000); do echo "line $n of a file that can be compressed"; done > big.ko
printf 'hello\\n' > small
: > empty
ln -s small link
printf 'shared\\n' > hard1; ln hard1 hard2; ln hard1 hard3
mkfifo fifo
touch ghost
%files
/usr/lib/kpatch
%ghost /usr/lib/kpatch/k/ghost
%post
exit 0
%preun -p /bin/true
%changelog
* Thu Feb 22 2024 A B <a@example.com> - 1.2-4
- kernel: a fix [RHEL-1] {CVE-2024-0001}
* Wed Feb 21 2024 A B <a@example.com> - 1.2-3
- first
`;
