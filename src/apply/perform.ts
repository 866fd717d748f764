// Doing one step. Every step looks first and does nothing where its end is reached, so that it may be done twice.
import path from 'node:path';
import { formatNevra } from '../domain/nevra.ts';
import { hasErrno, KpmError } from '../errors.ts';
import { MAX_MODULE, moduleFacts } from '../formats/elf/module.ts';
import { RETIRED } from '../state/directory.ts';
import { HISTORY, recordPath, recordText } from '../state/history.ts';
import { HOLDS, holdsText, readHolds, withHold, withoutHold } from '../state/holds.ts';
import { removeBound } from '../state/machine-bound.ts';
import { receiptPath, receiptText } from '../state/receipts.ts';
import type {
  DropStep,
  ForgetStep,
  HoldStep,
  PutStep,
  ReceiptStep,
  RecordStep,
  SettingStep,
  Step,
  UnholdStep,
} from '../state/steps.ts';
import { labelDirectory, labelModule } from './label.ts';
import { BASE, halfwayPath, kernelDirectory, modulePath, retiredDirectory, stagedPath } from './places.ts';
import { behindLink, closedPayload } from './preflight.ts';
import { unregister } from './register.ts';
import { registration } from './registration.ts';
import { sha256 } from './stage.ts';
import { type Done, outcomeFor, type Transaction, tell } from './transaction.ts';

/** Does one step. Gives `done`, `already` (nothing to do), or why it was not done; raises what the file system raises. */
export async function perform(step: Step, transaction: Transaction): Promise<Done> {
  const { root } = transaction.machine;
  switch (step.do) {
    case 'put':
      return put(step, transaction);
    case 'drop':
      return drop(step, transaction);
    case 'receipt':
      return receipt(step, transaction);
    case 'unreceipt': {
      const file = receiptPath(step.kernel, step.name);
      const changed = root.remove(file);
      root.removeEmptyDir(path.posix.dirname(file));
      root.removeEmptyDir(path.posix.dirname(path.posix.dirname(file)));
      return changed ? 'done' : 'already';
    }
    case 'register':
      return registration(step, transaction);
    case 'unregister': {
      const closed = closedPayload(root, transaction.steps, step.kernel);
      const answer =
        closed === null ? await unregister(transaction.machine, step.nevra) : { gone: false as const, why: closed };
      if (answer.gone) return answer.changed ? 'done' : 'already';
      transaction.clinging.add(step.kernel);
      const text = `${formatNevra(step.nevra)} is still in the rpm database: ${answer.why}.`;
      return { code: 'not-registered', text };
    }
    case 'setting':
      return setting(step, transaction);
    case 'hold':
    case 'unhold':
      return hold(step, transaction);
    case 'forget':
      return forget(step, transaction);
    case 'reset':
      return removeBound(root) ? 'done' : 'already';
    case 'record':
      return record(step, transaction);
  }
}

/** Whether a conditional step applies: where the rpm database was not told, the package's own path stays empty. */
const wants = (step: PutStep | DropStep, transaction: Transaction): boolean =>
  !step.ifRegistered || transaction.registered.get(step.ifRegistered)?.registered === true;

function isThere(step: PutStep, transaction: Transaction): boolean {
  const { root } = transaction.machine;
  const target = modulePath(step.place, step.kernel, step.file);
  const stat = root.lstat(target);
  if (!stat?.isFile() || stat.size !== step.size || (stat.mode & 0o7777) !== step.mode) return false;
  if (Math.floor(stat.mtimeMs / 1000) !== step.mtime) return false;
  const bytes = root.read(target, MAX_MODULE);
  return bytes !== null && sha256(bytes) === step.sha256;
}

/** The bytes of a put: at hand, staged, or where another put of this transaction already brought them. */
function findBytes(step: PutStep, transaction: Transaction): { bytes: () => Buffer; staged: boolean } {
  const { root } = transaction.machine;
  const atHand = transaction.blobs.get(step.sha256);
  if (atHand) return { bytes: () => atHand.read(), staged: root.exists(stagedPath(step.sha256)) };
  const others = transaction.steps.filter(
    (other): other is PutStep => other.do === 'put' && other.sha256 === step.sha256,
  );
  const places = [stagedPath(step.sha256), ...others.map((put) => modulePath(put.place, put.kernel, put.file))];
  for (const [n, place] of places.entries()) {
    const bytes = root.read(place, MAX_MODULE);
    if (bytes !== null && sha256(bytes) === step.sha256) return { bytes: () => bytes, staged: n === 0 };
  }
  throw new KpmError('blob-missing', {
    text: `The staged bytes of ${step.file} are gone, so it was not put in place.`,
    subject: step.file,
    hint: 'Run the same command again; it fetches the package anew.',
  });
}

async function put(step: PutStep, transaction: Transaction): Promise<Done> {
  if (!wants(step, transaction)) return 'already';
  const linked = link(step, transaction);
  if (isThere(step, transaction)) return linked;
  const { machine } = transaction;
  const { root } = machine;
  const target = modulePath(step.place, step.kernel, step.file);
  const { bytes, staged } = findBytes(step, transaction);
  if (!root.stat(BASE[step.place])?.isDirectory()) {
    root.mkdirs(BASE[step.place]);
    tell(transaction, await labelDirectory(machine, BASE[step.place]));
  }
  root.mkdirs(kernelDirectory(step.place, step.kernel));
  if (step.place === 'active') {
    const from = stagedPath(step.sha256);
    if (!staged) root.write(from, bytes(), step);
    tell(transaction, await labelModule(machine, from, target));
    if (renamed(transaction, from, target)) return 'done';
  }
  // Another file system: a dot-file beside the target, which no loader looks at, and then the rename.
  const halfway = halfwayPath(step.place, step.kernel, step.file);
  // Nothing is loaded from the payload's path, and a replay knows its bytes by their checksum.
  root.write(halfway, bytes(), { ...step, durable: step.place === 'active' ? true : 'together' });
  if (step.place === 'active') tell(transaction, await labelModule(machine, halfway, target));
  root.rename(halfway, target);
  return 'done';
}

function link({ link }: PutStep, { machine: { root } }: Transaction): 'done' | 'already' {
  if (!link || root.readlink(link.path) === link.target) return 'already';
  root.mkdirs(path.posix.dirname(link.path));
  root.symlink(link.target, link.path);
  return 'done';
}

/** Removes the build-id link that leads to a payload file, with the directory it leaves empty. */
function unlink(step: DropStep, { machine: { root } }: Transaction): void {
  const bytes = root.read(modulePath(step.place, step.kernel, step.file), MAX_MODULE);
  const id = bytes && buildIdOf(bytes);
  if (!id) return;
  const place = `usr/lib/.build-id/${id.slice(0, 2)}/${id.slice(2)}`;
  if (!root.readlink(place)?.endsWith(`/${step.kernel}/${step.file}`)) return;
  root.remove(place);
  root.removeEmptyDir(path.posix.dirname(place));
}

function buildIdOf(bytes: Buffer): string | null {
  try {
    return moduleFacts(bytes).buildId;
  } catch (error) {
    // Damaged after it was installed: then nothing says which link was its own.
    if (error instanceof KpmError) return null;
    throw error;
  }
}

/** Renames, or answers false where the target is on another file system. */
function renamed({ machine: { root } }: Transaction, from: string, to: string): boolean {
  try {
    root.rename(from, to);
    return true;
  } catch (error) {
    if (error instanceof KpmError && hasErrno(error.cause, 'EXDEV')) return false;
    throw error;
  }
}

async function drop(step: DropStep, transaction: Transaction): Promise<Done> {
  if (!wants(step, transaction)) return 'already';
  // What the rpm database still names keeps its own path.
  if (step.place === 'payload' && transaction.clinging.has(step.kernel)) return 'already';
  const { root } = transaction.machine;
  const target = modulePath(step.place, step.kernel, step.file);
  const stat = root.lstat(target);
  if (step.place === 'payload' && stat?.isFile()) unlink(step, transaction);
  if (stat !== null) {
    if (step.keep && stat.isFile()) await keep(step, target, transaction);
    else root.remove(target);
  }
  root.removeEmptyDir(kernelDirectory(step.place, step.kernel));
  // var/lib/kpatch has a label of its own and stays; usr/lib/kpatch belongs to the packages and goes with the last one.
  if (step.place === 'payload') root.removeEmptyDir(BASE.payload);
  return stat === null ? 'already' : 'done';
}

async function keep(step: DropStep, target: string, transaction: Transaction): Promise<void> {
  const { root } = transaction.machine;
  const kept = `${retiredDirectory(step.kernel)}/${step.file}`;
  root.mkdirs(retiredDirectory(step.kernel), 0o700);
  if (renamed(transaction, target, kept)) return;
  const bytes = root.read(target, MAX_MODULE);
  const stat = root.lstat(target);
  if (bytes && stat) root.write(kept, bytes, { mode: stat.mode & 0o777, mtime: stat.mtimeMs / 1000 });
  // Of two copies none may be left: the new name is there before the old one goes.
  await root.syncs.settle();
  root.remove(target);
}

function receipt(step: ReceiptStep, transaction: Transaction): Done {
  const { root } = transaction.machine;
  const { kernel, package: nevra } = step.receipt;
  const registered = transaction.registered.get(formatNevra(nevra))?.registered ?? step.receipt.registered;
  const text = receiptText({ ...step.receipt, registered });
  const file = receiptPath(kernel, nevra.name);
  if (root.readText(file) === text) return 'already';
  root.mkdirs(path.posix.dirname(file), 0o700);
  root.write(file, text, { mode: 0o600 });
  return 'done';
}

function setting(step: SettingStep, { machine: { root } }: Transaction): Done {
  const now = root.read(step.path);
  const text = Buffer.from(step.text, 'latin1');
  if (now?.equals(text)) return 'already';
  if ((now === null ? null : sha256(now)) !== step.before) {
    const shown = root.show(step.path);
    return {
      code: 'setting-changed',
      text: `${shown} was changed by somebody else meanwhile; the setting was not written.`,
    };
  }
  root.mkdirs(path.posix.dirname(step.path));
  const old = root.stat(step.path);
  const kept = old === null ? { mode: step.mode } : { mode: old.mode & 0o7777, owner: { uid: old.uid, gid: old.gid } };
  root.write(behindLink(root, step.path), text, kept);
  return 'done';
}

function hold(step: HoldStep | UnholdStep, { machine: { root, uid } }: Transaction): Done {
  const before = readHolds(root, uid);
  const after = step.do === 'hold' ? withHold(before, step.hold) : withoutHold(before, step);
  const text = holdsText(after);
  if (text === holdsText(before)) return 'already';
  if (after.length === 0) root.remove(HOLDS);
  else root.write(HOLDS, text, { mode: 0o600 });
  return 'done';
}

function forget(step: ForgetStep, { machine: { root } }: Transaction): Done {
  const directory = retiredDirectory(step.kernel);
  const files = root.list(directory);
  for (const file of files) root.remove(`${directory}/${file}`);
  root.removeEmptyDir(directory);
  root.removeEmptyDir(RETIRED);
  return files.length > 0 ? 'done' : 'already';
}

function record({ record, ends }: RecordStep, { machine: { root }, refused }: Transaction): Done {
  const actions = record.actions.map((action, n) =>
    ends.includes(n) ? { ...action, ...outcomeFor(action.kernel, refused) } : action,
  );
  const text = recordText({ ...record, actions });
  const path = recordPath(record.id);
  if (root.readText(path) === text) return 'already';
  root.mkdirs(HISTORY, 0o700);
  root.write(path, text, { mode: 0o600 });
  return 'done';
}
