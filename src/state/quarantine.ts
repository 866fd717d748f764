// Modules taken out of their kernel's directory after a crash: the list, and the files beside it. The record comes first,
// then the file moves, so that a run that was cut off is finished by the next boot.
import type { QuarantinedModule } from '../domain/crashguard.ts';
import { kernelRelease } from '../domain/kernel.ts';
import type { Root } from '../host/root.ts';
import { checkState, STATE, type State } from './directory.ts';
import { type FileFormat, isFields, type Notice, readState, stateText, tolerant } from './format.ts';
import { isModuleFile } from './receipts.ts';

export const QUARANTINE = `${STATE}/quarantine.json`;
/** The files, by kernel. */
export const QUARANTINE_FILES = `${STATE}/quarantine`;

interface QuarantineFile {
  readonly format: 1;
  readonly modules: readonly QuarantinedModule[];
}

const isModule = (value: unknown): boolean =>
  isFields(value) &&
  kernelRelease(String(value.kernel)) !== null &&
  isModuleFile(String(value.file)) &&
  [value.module, value.sha256, value.since, value.why].every((text) => typeof text === 'string') &&
  (value.package === null || typeof value.package === 'string');

const FORMAT: FileFormat<QuarantineFile> = {
  what: 'quarantine list',
  lost: 'the modules it names may be loaded again then',
  current: 1,
  migrations: {},
  check: (fields) =>
    Array.isArray(fields.modules) && fields.modules.every(isModule) ? (fields as unknown as QuarantineFile) : null,
};

/** The quarantined modules. Errors and `notice` as in readReceipts. */
export function readQuarantine(root: Root, uid: number, notice?: Notice): QuarantinedModule[] {
  return tolerant(notice, [], () => {
    checkState(root, uid);
    return [...(readState(root, QUARANTINE, FORMAT)?.modules ?? [])];
  });
}

/** Replaces the list. */
export function writeQuarantine({ root }: State, modules: readonly QuarantinedModule[]): void {
  if (modules.length === 0) root.remove(QUARANTINE);
  else root.write(QUARANTINE, stateText({ format: 1, modules } satisfies QuarantineFile), { mode: 0o600 });
}
