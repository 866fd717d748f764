// The module file before it is inserted: its bytes against the receipt, its facts against the running kernel.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { KpmError } from '../../errors.ts';
import { MAX_MODULE, type ModuleFacts, moduleFacts } from '../../formats/elf/module.ts';
import { loadedBuildId } from '../../host/livepatch.ts';
import type { Root } from '../../host/root.ts';

const AGAIN = 'Install the package again (kpatch-pm install), then find out what changes files below /var/lib/kpatch.';

export interface Expected {
  /** Path below the root. */
  readonly file: string;
  readonly module: string;
  readonly kernel: string;
  /** Null for a file nobody accounts for. */
  readonly sha256: string | null;
}

export interface CheckedModule {
  /** The descriptor that was read; the caller closes it, after it was inserted. */
  readonly fd: number;
  readonly facts: ModuleFacts;
}

/**
 * Opens a module and reads it once through the descriptor that is then inserted. The kernel itself does not compare the
 * release in vermagic when modules carry symbol checksums (CONFIG_MODVERSIONS), so this does.
 * Raises `module-changed`, `kernel-mismatch`, `not-a-livepatch`, `not-a-module`.
 */
export function openChecked(root: Root, expected: Expected): CheckedModule {
  const shown = root.show(expected.file);
  const fd = root.openRead(expected.file);
  if (fd === null) {
    throw new KpmError('module-changed', { text: `${shown} is not there any more.`, subject: shown, hint: AGAIN });
  }
  try {
    return { fd, facts: check(readAll(fd, shown), shown, expected) };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function readAll(fd: number, shown: string): Buffer {
  const { size } = fs.fstatSync(fd);
  if (size > MAX_MODULE) {
    throw new KpmError('module-changed', {
      text: `${shown} is far too big for a module (${size} bytes).`,
      subject: shown,
    });
  }
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const count = fs.readSync(fd, bytes, at, size - at, at);
    if (count === 0) return bytes.subarray(0, at);
    at += count;
  }
  return bytes;
}

function check(bytes: Buffer, shown: string, expected: Expected): ModuleFacts {
  if (expected.sha256 !== null && createHash('sha256').update(bytes).digest('hex') !== expected.sha256) {
    throw new KpmError('module-changed', {
      text: `${shown} is not the file that was installed: its checksum differs from the receipt. It was not loaded.`,
      subject: shown,
      hint: AGAIN,
    });
  }
  const facts = factsOf(bytes, shown);
  if (facts.release !== expected.kernel) {
    throw new KpmError('kernel-mismatch', {
      text: `${shown} was built for kernel ${facts.release}, not for the running ${expected.kernel}. It was not loaded.`,
      subject: shown,
      hint: `Load it when ${facts.release} runs; for this kernel install its own live patch (kpatch-pm install).`,
    });
  }
  if (!facts.livepatch) {
    throw new KpmError('not-a-livepatch', {
      text: `${shown} is an ordinary kernel module: it would patch nothing. It was not loaded.`,
      subject: shown,
      hint: 'Reinstall the package the file should come from.',
    });
  }
  if (facts.name !== expected.module) {
    throw new KpmError('module-changed', {
      text: `${shown} holds the module ${facts.name}, not ${expected.module}. It was not loaded.`,
      subject: shown,
      hint: AGAIN,
    });
  }
  return facts;
}

function factsOf(bytes: Buffer, shown: string): ModuleFacts {
  try {
    return moduleFacts(bytes);
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    const text = `${shown} was not loaded: ${error.reason}`;
    throw new KpmError(error.code, { text, subject: shown, hint: AGAIN, cause: error });
  }
}

/** Whether the module in the kernel was built from these bytes, by its build id: null where either side has none. */
export function isThisFile(sys: Root, facts: ModuleFacts): boolean | null {
  const loaded = loadedBuildId(sys, facts.name);
  return loaded === null || facts.buildId === null ? null : loaded === facts.buildId;
}
