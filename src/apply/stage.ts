// Staging: every byte a transaction needs is written and synced beside our state before anything else changes.
import { createHash } from 'node:crypto';
import { KpmError } from '../errors.ts';
import type { Root } from '../host/root.ts';
import { STAGING, STATE } from '../state/directory.ts';
import type { Blobs, PutStep, RegisterStep, Step } from '../state/steps.ts';
import { BASE, retiredDirectory, stagedPath } from './places.ts';

/** Room for receipts, journal and directories. */
const SLACK = 1024 * 1024;

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

type Carrier = PutStep | RegisterStep;
const carries = (step: Step): step is Carrier => step.do === 'put' || step.do === 'register';

/** The bytes of a blob: brought along, or kept by an earlier `drop`. Raises `blob-missing`. */
function bytesOf(root: Root, step: Carrier, blobs: Blobs): Buffer {
  const kept = step.do === 'put' ? `${retiredDirectory(step.kernel)}/${step.file}` : null;
  const bytes = blobs.get(step.sha256) ?? (kept === null ? null : root.read(kept));
  if (bytes && sha256(bytes) === step.sha256) return bytes;
  const what = step.do === 'put' ? step.file : step.nevra.name;
  throw new KpmError('blob-missing', {
    text: `The bytes of ${what} (SHA-256 ${step.sha256}) are not at hand.`,
    subject: what,
    hint: 'Run the same command again; it fetches the package anew.',
  });
}

/** Raises `no-space` when a file system that will be written does not have the room. */
function checkSpace(root: Root, steps: readonly Carrier[]): void {
  const needs: [string, number][] = [[STATE, SLACK]];
  for (const hash of new Set(steps.map((step) => step.sha256))) {
    needs.push([STATE, steps.find((step) => step.sha256 === hash)?.size ?? 0]);
  }
  const stateDevice = root.freeBytes(STATE).device;
  for (const step of steps) {
    if (step.do === 'register') continue;
    // Renamed from staging: no further room, unless it is another file system.
    if (step.place === 'active' && root.freeBytes(BASE.active).device === stateDevice) continue;
    needs.push([BASE[step.place], step.size]);
  }
  const devices = new Map<number, { where: string; free: number; need: number }>();
  for (const [where, bytes] of needs) {
    const { device, bytes: free } = root.freeBytes(where);
    const entry = devices.get(device) ?? { where, free, need: 0 };
    devices.set(device, { ...entry, need: entry.need + bytes });
  }
  for (const { where, free, need } of devices.values()) {
    if (need <= free) continue;
    throw new KpmError('no-space', {
      text: `${root.show(where)} needs ${need} bytes and its file system has ${free} free.`,
      subject: root.show(where),
      hint: `Free ${need - free} bytes there and run the same command again; nothing was changed.`,
    });
  }
}

/** Empties and removes staging, but for the blobs named. */
export function clearStaging(root: Root, keep: ReadonlySet<string> = new Set()): void {
  for (const name of root.list(STAGING)) if (!keep.has(name)) root.remove(`${STAGING}/${name}`);
  root.removeEmptyDir(STAGING);
}

/** Writes every blob of a transaction to staging. Raises `no-space`, `blob-missing`; staging is empty then. */
export function stage(root: Root, steps: readonly Step[], blobs: Blobs): void {
  const carriers = steps.filter(carries);
  clearStaging(root);
  if (carriers.length === 0) return;
  checkSpace(root, carriers);
  root.mkdirs(STAGING, 0o700);
  try {
    for (const step of carriers) {
      const path = stagedPath(step.sha256);
      if (root.exists(path)) continue;
      // Mode and time are the installed file's already: it only has to be renamed.
      const own = step.do === 'put' ? { mode: step.mode, mtime: step.mtime } : { mode: 0o600 };
      root.write(path, bytesOf(root, step, blobs), own);
    }
  } catch (error) {
    clearStaging(root);
    throw error;
  }
}

/** The hashes of the blobs that steps need. */
export function blobsOf(steps: readonly Step[]): Set<string> {
  return new Set(steps.filter(carries).map((step) => step.sha256));
}
