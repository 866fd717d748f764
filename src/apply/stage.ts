// Staging: every byte a transaction needs is written and synced beside our state before anything else changes.
import { createHash } from 'node:crypto';
import { KpmError } from '../errors.ts';
import { MAX_MODULE } from '../formats/elf/module.ts';
import { roomAt } from '../host/room.ts';
import type { Root } from '../host/root.ts';
import { STAGING, STATE } from '../state/directory.ts';
import type { Blobs, PutStep, RegisterStep, Step } from '../state/steps.ts';
import { kernelDirectory, retiredDirectory, stagedPath } from './places.ts';
import { checkSpace, type Need } from './space.ts';

/** Room for receipts, journal and directories. */
const SLACK = 1024 * 1024;

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

type Carrier = PutStep | RegisterStep;
const carries = (step: Step): step is Carrier => step.do === 'put' || step.do === 'register';

/** The bytes of a blob: brought along, or kept by an earlier `drop`. Raises `blob-missing`. */
function bytesOf(root: Root, step: Carrier, blobs: Blobs): Buffer {
  const kept = step.do === 'put' ? `${retiredDirectory(step.kernel)}/${step.file}` : null;
  const bytes = blobs.get(step.sha256)?.read() ?? (kept === null ? null : root.read(kept, MAX_MODULE));
  if (bytes && sha256(bytes) === step.sha256) return bytes;
  const what = step.do === 'put' ? step.file : step.nevra.name;
  throw new KpmError('blob-missing', {
    text: `The bytes of ${what} (SHA-256 ${step.sha256}) are not at hand.`,
    subject: what,
    hint: 'Run the same command again; it fetches the package anew.',
  });
}

/** What a transaction writes, by place. Payloads are counted where nobody knows yet whether rpm will accept the package. */
function needsOf(root: Root, steps: readonly Carrier[], blobs: Blobs): Need[] {
  const needs: Need[] = [{ root, path: STATE, bytes: SLACK, files: 8 }];
  for (const hash of new Set(steps.map((step) => step.sha256))) {
    // What lies in a file of ours only gets a second name.
    const written = blobs.get(hash)?.file ? 0 : steps.find((step) => step.sha256 === hash)?.size;
    needs.push({ root, path: STATE, bytes: written ?? 0, files: 1 });
  }
  const { pool } = roomAt(root, STATE);
  for (const step of steps) {
    if (step.do === 'register') continue;
    const path = kernelDirectory(step.place, step.kernel);
    // Renamed from staging: no further room, unless it is another file system.
    if (step.place === 'active' && roomAt(root, path).pool === pool) continue;
    needs.push({ root, path, bytes: step.size, files: 2 });
  }
  return needs;
}

/** Empties and removes staging, but for the blobs named. */
export function clearStaging(root: Root, keep: ReadonlySet<string> = new Set()): void {
  for (const name of root.list(STAGING)) if (!keep.has(name)) root.remove(`${STAGING}/${name}`);
  root.removeEmptyDir(STAGING);
}

/** Writes every blob of a transaction to staging, to be synced by the caller before the commit. Raises `no-space`, `blob-missing`; staging is empty then. */
export function stage(root: Root, steps: readonly Step[], blobs: Blobs): void {
  const carriers = steps.filter(carries);
  clearStaging(root);
  if (carriers.length === 0) return;
  checkSpace(needsOf(root, carriers, blobs));
  root.mkdirs(STAGING, 0o700);
  try {
    for (const step of carriers) {
      const path = stagedPath(step.sha256);
      if (root.exists(path) || linked(root, blobs.get(step.sha256)?.file ?? null, step)) continue;
      // Mode and time are the installed file's already: it only has to be renamed.
      const own = step.do === 'put' ? { mode: step.mode, mtime: step.mtime } : { mode: 0o600 };
      root.write(path, bytesOf(root, step, blobs), { ...own, durable: 'together' });
    }
  } catch (error) {
    clearStaging(root);
    throw error;
  }
}

/**
 * Gives the file of a blob its name in staging. False where there is none, it is not as this step wants it, or it cannot have
 * a second name (another file system, one without hard links): then it is copied, and that says what is wrong.
 */
function linked(root: Root, file: string | null, step: Carrier): boolean {
  if (file === null) return false;
  try {
    const stat = root.lstat(file);
    if (!stat?.isFile() || stat.size !== step.size) return false;
    if (step.do === 'put' && ((stat.mode & 0o7777) !== step.mode || Math.floor(stat.mtimeMs / 1000) !== step.mtime))
      return false;
    return root.link(file, stagedPath(step.sha256));
  } catch (error) {
    if (error instanceof KpmError) return false;
    throw error;
  }
}

/** The hashes of the blobs that steps need. */
export function blobsOf(steps: readonly Step[]): Set<string> {
  return new Set(steps.filter(carries).map((step) => step.sha256));
}
