// inspect: what is this file, who signed it, and would it be used? Needs no root and no network; changes nothing.
import path from 'node:path';
import { KpmError } from '../../errors.ts';
import { mergeKeys, type PublicKey, parseKeys } from '../../formats/openpgp/index.ts';
import { MAX_PACKAGE_BYTES } from '../../formats/rpm/package.ts';
import { kernelKeys } from '../../host/keyring.ts';
import type { Machine } from '../../host/machine.ts';
import { trustedKeys } from '../../state/keys.ts';
import { blank, type Inspection } from './inspection.ts';
import { type Judges, problemOf } from './judges.ts';
import { inspectModule } from './module.ts';
import { inspectPackage } from './package.ts';

export type { Inspection } from './inspection.ts';
export { isSound } from './inspection.ts';

export interface InspectRequest {
  /** As typed: relative ones count from `directory`. */
  readonly files: readonly string[];
  /** Key files to trust in place of the root's keys; empty: the root's. */
  readonly keyFiles: readonly string[];
  /** The working directory, a path of the host. */
  readonly directory: string;
  /** See Judges. */
  readonly pinsOf?: Judges['pinsOf'];
}

const MAX_KEY_FILE = 4 * 1024 * 1024;
const RPM_MAGIC = 0xedabeedb;
const ELF_MAGIC = 0x7f454c46;

/**
 * Inspects every file, in order; a file that cannot be read or is no package is an Inspection with its refusal.
 * Raises `file-unreadable` and `openpgp-malformed` for a key file that cannot be used. `note` is told what limits the keys.
 */
export async function inspectFiles(
  machine: Machine,
  request: InspectRequest,
  note: (text: string) => void,
): Promise<Inspection[]> {
  const keys = request.keyFiles.length > 0 ? readKeyFiles(machine, request) : await keysOfRoot(machine, note);
  const judges: Judges = {
    keys,
    kernelKeys: machine.live ? kernelKeys(machine.host, machine.uid) : null,
    now: machine.now(),
    run: machine.run,
    ...(request.pinsOf ? { pinsOf: request.pinsOf } : {}),
  };
  const found: Inspection[] = [];
  // One after the other: each may take much memory.
  for (const file of request.files) found.push(await inspectOne(machine, request, file, judges));
  return found;
}

async function inspectOne(
  machine: Machine,
  request: InspectRequest,
  file: string,
  judges: Judges,
): Promise<Inspection> {
  let bytes: Buffer;
  let mode: number;
  try {
    bytes = read(machine, request, file, MAX_PACKAGE_BYTES);
    mode = machine.host.stat(placeOf(request, file))?.mode ?? 0;
  } catch (error) {
    return { ...blank(file), refusals: [problemOf(error)] };
  }
  return inspectBytes(file, bytes, mode, judges);
}

/** Inspects bytes; their first ones say what they are. `mode` is that of the file, shown of a module. */
export async function inspectBytes(file: string, bytes: Buffer, mode: number, judges: Judges): Promise<Inspection> {
  const magic = bytes.length >= 8 ? bytes.readUInt32BE(0) : 0;
  if (magic === RPM_MAGIC) return inspectPackage(file, bytes, judges);
  if (magic === ELF_MAGIC) return inspectModule(file, bytes, mode, judges);
  const text = `${file} is neither an RPM package nor a kernel module.`;
  return { ...blank(file), refusals: [{ code: 'not-rpm', text }] };
}

const placeOf = ({ directory }: Pick<InspectRequest, 'directory'>, file: string): string =>
  path.posix.resolve(directory, file);

function read(machine: Machine, request: Pick<InspectRequest, 'directory'>, file: string, maxBytes: number): Buffer {
  const bytes = machine.host.read(placeOf(request, file), maxBytes);
  if (bytes !== null) return bytes;
  throw new KpmError('file-unreadable', {
    text: `${file} does not exist.`,
    subject: file,
    hint: 'Check the name; relative names count from the current directory.',
  });
}

/** The keys of files that were named. Raises `file-unreadable`, `openpgp-malformed`. */
export function readKeyFiles(machine: Machine, request: Pick<InspectRequest, 'keyFiles' | 'directory'>): PublicKey[] {
  const keys = request.keyFiles.flatMap((file) => {
    const bytes = read(machine, request, file, MAX_KEY_FILE);
    try {
      return parseKeys(bytes);
    } catch (error) {
      if (!(error instanceof KpmError)) throw error;
      throw new KpmError(error.code, {
        text: `${file} cannot be used as a key: ${error.reason}`,
        subject: file,
        hint: 'Name the public key as its owner publishes it (usually RPM-GPG-KEY-...).',
        cause: error,
      });
    }
  });
  return mergeKeys(keys);
}

async function keysOfRoot(machine: Machine, note: (text: string) => void): Promise<PublicKey[]> {
  const { keys, notices } = await trustedKeys(machine.root, machine.run);
  for (const { text } of notices) note(text);
  return keys.map(({ key }) => key);
}
