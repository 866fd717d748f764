// verify: the whole way from the repository to the running kernel, layer by layer.
import { type Verification, verifyKernel } from '../../decide/verify.ts';
import type { FunctionProof, Inspected } from '../../domain/layers.ts';
import { formatNevra } from '../../domain/nevra.ts';
import type { World } from '../../domain/world.ts';
import { attribute } from '../../host/livepatch.ts';
import type { Machine } from '../../host/machine.ts';
import { functionProof } from '../../observe/system/functions.ts';
import { labelsOf } from '../../observe/system/labels.ts';
import type { Gathered } from '../evidence/gather.ts';

/** Kernel parameters that switch loading off. Source: kpatch.service; our own boot unit. */
const OFF = ['kpatch.enable=0', 'kpatch-pm.enable=0'];

/** Looks at what only this answer needs: labels, the command line, patched functions. */
export async function inspectMachine(machine: Machine, gathered: Gathered): Promise<Inspected> {
  const { world, receipts, unread, packages, rpmdb } = gathered;
  const files = world.installed.flatMap(({ file }) => (file === null ? [] : [file]));
  return {
    rpmdb,
    registered: packages.map(formatNevra),
    receipts: receipts.map((one) => ({
      kernel: one.kernel,
      nevra: formatNevra(one.package),
      registered: one.registered,
      signer: one.signer === null ? null : one.signer.owner || one.signer.fingerprint,
      when: one.installedAt,
    })),
    unread: unread.map(({ code, text }) => ({ hidden: code === 'file-unreadable', text })),
    labels: await labelsOf(machine, files),
    switchedOff: switchedOff(machine),
    functions: functionsOf(machine, world),
  };
}

function switchedOff({ live, host }: Machine): string | null {
  if (!live) return null;
  const parameters = (attribute(host, 'proc/cmdline') ?? '').split(/\s+/);
  return parameters.find((parameter) => OFF.includes(parameter)) ?? null;
}

function functionsOf(machine: Machine, world: World): Map<string, FunctionProof> {
  const found = new Map<string, FunctionProof>();
  for (const { module, file } of world.installed) {
    if (!world.live || module === null || file === null) continue;
    if (!world.loaded.some((patch) => patch.module === module)) continue;
    const proof = functionProof(machine.root, machine.host, file, module);
    if (proof) found.set(module, proof);
  }
  return found;
}

/** The kernels to judge: those that are named, else the running one, else (a root that does not run) all. */
export async function verifyMachine(
  machine: Machine,
  gathered: Gathered,
  wanted: (release: string) => boolean,
  named: boolean,
): Promise<Verification[]> {
  const { world } = gathered;
  const seen = await inspectMachine(machine, gathered);
  const running = world.kernels.filter((kernel) => kernel.running);
  const kernels = named || running.length === 0 ? world.kernels : running;
  return kernels.filter(({ release }) => wanted(release)).map((kernel) => verifyKernel(kernel, world, seen));
}
