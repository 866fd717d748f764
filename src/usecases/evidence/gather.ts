// Everything an answer about fixes rests on: the world, and what signed changelogs say.
import type { Problem } from '../../domain/because.ts';
import type { Evidence, KernelRecord, PatchRecord } from '../../domain/evidence.ts';
import { formatNevra, type Nevra, sameNevra } from '../../domain/nevra.ts';
import type { Receipt, Signer } from '../../domain/receipt.ts';
import type { World } from '../../domain/world.ts';
import { changelogFixes, cvesOf } from '../../formats/rpm/fixes.ts';
import type { Machine, Ui } from '../../host/machine.ts';
import { type KeptChangelog, rpmChangelogs } from '../../observe/system/changelogs.ts';
import { look } from '../../pipeline/observe.ts';
import type { Request } from '../../pipeline.ts';
import { trustedKeys } from '../../state/keys.ts';
import { readReceipts } from '../../state/receipts.ts';

export interface Gathered {
  readonly world: World;
  readonly evidence: Evidence;
  readonly receipts: readonly Receipt[];
  /** Why other receipts could not be read. */
  readonly unread: readonly Problem[];
  /** Packages of kernels and live patches that the rpm database has. */
  readonly packages: readonly Nevra[];
  /** How the rpm database was read. */
  readonly rpmdb: 'rpm' | 'parser' | 'none';
}

/** Looks at the machine, with advisories; then at the changelogs of its live patches and of its kernels. */
export async function gather(machine: Machine, request: Request, ui: Ui): Promise<Gathered> {
  const observed = await look(machine, { ...request, advisories: true }, ui);
  await observed.net.close();
  const { world, rpmdb } = observed;
  // What may not be read is among the world's notices already.
  const unread: Problem[] = [];
  const receipts = readReceipts(machine.root, machine.uid, (problem) => unread.push(problem));
  const packages = rpmdb.packages.map(({ nevra }) => nevra).filter(({ name }) => /^(?:kernel|kpatch)/.test(name));
  const evidence = await changelogs(machine, world, receipts, packages);
  return { world, evidence, receipts, unread, packages, rpmdb: rpmdb.how };
}

async function changelogs(
  machine: Machine,
  world: World,
  receipts: readonly Receipt[],
  packages: readonly Nevra[],
): Promise<Evidence> {
  const ours = receipts.flatMap(ofReceipt);
  const unread = world.installed.flatMap((patch) => {
    const known = ours.some(
      (record) => patch.package && record.current && record.cves.length > 0 && sameNevra(record.package, patch.package),
    );
    return patch.package && !known ? [{ kernel: patch.kernel, package: patch.package }] : [];
  });
  const kernels = world.kernels.flatMap(({ release }) => {
    const found = packages.find((one) => isKernel(one, release));
    return found ? [{ kernel: release as string, package: found }] : [];
  });
  const names = [...unread, ...kernels].map((one) => one.package.name);
  if (names.length === 0) return { patches: ours, kernels: [] };
  const found = await rpmChangelogs(machine.root, machine.run, names);
  const signers = found.length > 0 ? await signerNames(machine) : new Map<string, string>();
  const of = (nevra: Nevra): { cves: string[]; signer: string | null } | null => {
    const kept = found.find((one) => sameNevra(one.package, nevra));
    return kept ? { cves: cvesIn(kept), signer: kept.keyid === null ? null : (signers.get(kept.keyid) ?? null) } : null;
  };
  return {
    patches: [...ours, ...unread.flatMap((one) => ofDatabase(one, of(one.package), world))],
    kernels: kernels.flatMap((one): KernelRecord[] => {
      const kept = of(one.package);
      return kept ? [{ ...one, ...kept }] : [];
    }),
  };
}

/** Whether a package is the one a kernel boots from: kernel-core and its like, or `kernel` where it is not split. */
function isKernel({ name, version, release, arch }: Nevra, uname: string): boolean {
  if (!/^kernel(?:-(?:rt|64k|uek))?(?:-core)?$/.test(name)) return false;
  const flavour = /^kernel-(rt|64k)/.exec(name)?.[1];
  const base = `${version}-${release}.${arch}`;
  return uname === base || (flavour !== undefined && uname === `${base}+${flavour}`);
}

const cvesIn = ({ entries }: Pick<KeptChangelog, 'entries'>): string[] => cvesOf(changelogFixes(entries));

const signerText = (signer: Signer | null): string | null =>
  signer === null ? null : `${signer.owner} (${signer.fingerprint})`;

function ofReceipt(receipt: Receipt): PatchRecord[] {
  const { kernel, changelog = [], earlier = [] } = receipt;
  const now: PatchRecord = {
    kernel,
    package: receipt.package,
    modules: receipt.files.map(({ module }) => module),
    kept: 'receipt',
    signer: signerText(receipt.signer),
    cves: cvesIn({ entries: changelog }),
    current: true,
  };
  const before = earlier.map(
    (level): PatchRecord => ({
      kernel,
      package: level.package,
      modules: level.modules,
      kept: 'receipt',
      signer: signerText(level.signer),
      cves: level.cves,
      current: false,
    }),
  );
  return [now, ...before];
}

function ofDatabase(
  one: { readonly kernel: string; readonly package: Nevra },
  kept: { cves: string[]; signer: string | null } | null,
  world: World,
): PatchRecord[] {
  if (kept === null) return [];
  const modules = world.installed.flatMap((patch) =>
    patch.module !== null && patch.package && formatNevra(patch.package) === formatNevra(one.package)
      ? [patch.module]
      : [],
  );
  return [{ ...one, ...kept, modules, kept: 'rpmdb', current: true }];
}

/** Trusted keys by key id, those of subkeys too. A signature by a key that is not trusted here proves nothing here. */
async function signerNames(machine: Machine): Promise<Map<string, string>> {
  const { keys } = await trustedKeys(machine.root, machine.run);
  return new Map(
    keys.flatMap(({ key }) =>
      [key.primary, ...key.subkeys].map(({ packet }): [string, string] => [
        packet.keyid.toUpperCase(),
        `${key.owner} (${key.fingerprint})`,
      ]),
    ),
  );
}
