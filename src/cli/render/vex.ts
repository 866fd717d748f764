// cves as an OpenVEX document, which scanners read. Source: the OpenVEX specification, version 0.2.0
// (openvex/spec): statements with status fixed, affected (with action_statement) or under_investigation.
import { createHash } from 'node:crypto';
import type { CveReport } from '../../decide/cves.ts';
import { cleanDeep } from './clean.ts';
import type { KernelCves } from './cves.ts';

export interface VexSubject {
  /** ISO time. */
  readonly time: string;
  readonly machine: string | null;
  /** ID of os-release, the namespace of package URLs; null when unknown. */
  readonly vendor: string | null;
  readonly version: string;
}

type Status = 'fixed' | 'affected' | 'under_investigation';

function statusOf({ state }: CveReport): Status {
  if (state === 'fixed' || state === 'fixed-in-kernel') return 'fixed';
  return ['on-disk', 'available', 'reboot', 'out-of-reach'].includes(state) ? 'affected' : 'under_investigation';
}

function actionOf({ state, by }: CveReport): string {
  if (state === 'on-disk') return `Load the installed live patch ${by}: kpatch-pm install`;
  if (state === 'available') return `Install the live patch ${by}: kpatch-pm install`;
  if (state === 'out-of-reach') return 'Nothing that could be used here fixes it; see status_notes.';
  return `Update to kernel ${by} or newer and reboot.`;
}

/** What the packages that hold a kernel's code are called behind its name, in el7 to el10 and Fedora. Scanners find each. */
const PARTS = ['', '-core', '-modules', '-modules-core', '-modules-extra'];

/** Package URLs of a kernel (package-url/purl-spec, type rpm). A statement about a package that is not installed states nothing. */
function purls(release: string, vendor: string | null): string[] {
  const [base = '', flavour] = release.split('+');
  const dot = base.lastIndexOf('.');
  const [version, arch] = [base.slice(0, dot), base.slice(dot + 1)];
  const name = flavour === undefined ? 'kernel' : `kernel-${flavour}`;
  const namespace = vendor === null ? '' : `${encodeURIComponent(vendor)}/`;
  return PARTS.map(
    (part) =>
      `pkg:rpm/${namespace}${encodeURIComponent(name + part)}@${encodeURIComponent(version)}?arch=${encodeURIComponent(arch)}`,
  );
}

/** The document as a value. The same facts give the same `@id`. */
export function vexDocument(kernels: readonly KernelCves[], subject: VexSubject): unknown {
  const statements = kernels.flatMap(({ release, cves }) =>
    cves.map((report) => {
      const status = statusOf(report);
      const sources = report.sources.map(({ name, signer }) => `${name}${signer === null ? ' (unsigned)' : ''}`);
      const notes = sources.length > 0 ? `${report.text}. Sources: ${sources.join(', ')}` : report.text;
      return {
        vulnerability: { name: report.cve },
        products: purls(release, subject.vendor).map((id) => ({ '@id': id })),
        status,
        status_notes: notes,
        ...(status === 'affected' ? { action_statement: actionOf(report) } : {}),
      };
    }),
  );
  const body = cleanDeep({
    author: `kpatch-pm ${subject.version} on machine ${subject.machine ?? 'without an id'}`,
    role: 'system',
    timestamp: subject.time,
    version: 1,
    statements,
  });
  const hash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  return { '@context': 'https://openvex.dev/ns/v0.2.0', '@id': `urn:kpatch-pm:vex:${hash}`, ...body };
}
