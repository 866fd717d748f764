// Modules without a package: a file that a person names with its kernel. It is checked as a packaged module is, but for
// the signature, which it cannot have: explicit permission takes its place. No receipt is written, for receipts vouch.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { moduleProblem } from '../apply/extract.ts';
import { checkSigners } from '../apply/load/signer.ts';
import { held } from '../apply/spool.ts';
import { kernelArch, kernelRelease } from '../domain/kernel.ts';
import type { OwnModule } from '../domain/livepatch.ts';
import type { LoadAction, OwnModuleAction } from '../domain/plan.ts';
import { type ErrorCode, KpmError } from '../errors.ts';
import { MAX_MODULE, type ModuleFacts, moduleFacts } from '../formats/elf/module.ts';
import { isModuleFile } from '../state/receipts.ts';
import type { Application } from './application.ts';
import { transact } from './install.ts';
import type { Observed } from './observed.ts';
import type { Request } from './request.ts';
import { shoutUnsigned } from './stage.ts';

const ACTIVE = 'var/lib/kpatch';

export interface NamedModule {
  readonly own: OwnModule;
  readonly bytes: Buffer;
}

/** Whether a word names a module file. */
export const isModuleWord = (text: string): boolean => text.endsWith('.ko');

/**
 * Reads a module file that was named, for the one kernel of the request. Raises `file-unreadable`, `package-unsigned`
 * (without --nogpgcheck or allow_unsigned=1), `not-a-module`, `module-wrong-kernel`, `module-not-livepatch`,
 * `module-wrong-arch`, `module-name`, `module-exists`.
 */
export function readOwnModule({ machine, config, world }: Observed, text: string, request: Request): NamedModule {
  const file = path.posix.basename(text);
  const bytes = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? null : read(machine.host, text, request);
  if (bytes === null) {
    throw new KpmError('file-unreadable', {
      text: `Can not load module file: ${text}. There is no such file.`,
      subject: text,
      hint: 'A module is named by the path of its file on this machine.',
    });
  }
  const kernel = kernelRelease(request.kernels[0] ?? '');
  if (kernel === null || !isModuleFile(file))
    throw refusal('module-name', text, 'its name is not one of a module file');
  const facts = factsOf(text, bytes);
  const problem = moduleProblem(facts, file, kernel, kernelArch(kernel) ?? machine.arch);
  if (problem) throw refusal(problem.code, text, `it ${problem.why}`);
  if (!request.config.nogpgcheck && !config.kpm.allowUnsigned) throw unsigned(text, kernel);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const there = machine.root.read(`${ACTIVE}/${kernel}/${file}`, MAX_MODULE);
  const other = world.installed.find((patch) => patch.kernel === kernel && patch.module === facts.name)?.file;
  if (there === null ? other : !there.equals(bytes)) throw taken(text, facts.name, kernel, other ?? file);
  return {
    own: {
      typed: text,
      kernel,
      file,
      module: facts.name,
      arch: facts.machine,
      size: bytes.length,
      sha256,
      installed: there !== null,
    },
    bytes,
  };
}

const read = (host: Observed['machine']['host'], text: string, { directory }: Request): Buffer | null =>
  host.read(path.resolve(directory?.() ?? '/', text).slice(1), MAX_MODULE);

function factsOf(text: string, bytes: Buffer): ModuleFacts {
  try {
    return moduleFacts(bytes);
  } catch (error) {
    if (error instanceof KpmError) throw refusal('not-a-module', text, error.message.replace(/\.$/, ''));
    throw error;
  }
}

function refusal(code: ErrorCode, text: string, why: string): KpmError {
  return new KpmError(code, {
    text: `${text} cannot be used: ${why}.`,
    subject: text,
    hint: `Look at the file: kpatch-pm inspect ${text}`,
  });
}

/** A module alone carries no signature that says who made it for which kernel: only a person can answer for it. */
function unsigned(text: string, kernel: string): KpmError {
  return new KpmError('package-unsigned', {
    text: `${text} is a module without a package: nobody vouches for it by a signature.`,
    subject: text,
    hint: `Look at it: kpatch-pm inspect ${text}   To install it on your own responsibility: kpatch-pm --nogpgcheck install -k ${kernel} ${text}`,
  });
}

function taken(text: string, module: string, kernel: string, file: string): KpmError {
  return new KpmError('module-exists', {
    text: `${text} was not installed: a module ${module} with other bytes is installed for the kernel ${kernel} (${path.posix.basename(file)}).`,
    subject: text,
    hint: `Take that one away first: kpatch-pm module uninstall -k ${kernel} ${module}   Or build yours under another name.`,
  });
}

/** Puts a named module file into its kernel's directory, in a transaction of its own. Raises `signer-not-in-kernel` and the errors of a transaction. */
export async function installOwn(application: Application, { kernel, own }: OwnModuleAction): Promise<void> {
  const bytes = application.observed.modules?.get(own.typed);
  if (!bytes) throw new KpmError('internal', { text: `The bytes of ${own.typed} are not at hand.` });
  const { file, module, sha256, size } = own;
  checkSigners(application.observed.machine, kernel, [{ module, bytes }], application.ui);
  shoutUnsigned(file, application.observed, application.ui);
  const mtime = Math.floor(application.observed.machine.now().getTime() / 1000);
  const step = { do: 'put', place: 'active', kernel, file, sha256, size, mode: 0o755, mtime } as const;
  await transact(application, { steps: [step], blobs: new Map([[sha256, held(bytes)]]) });
}

/** The module file a load action is about, where it was named in this run; null where a package brought it. */
export function ownOf({ observed }: Application, { kernel, module }: LoadAction): OwnModule | null {
  return observed.world.ownModules?.find((own) => own.kernel === kernel && own.module === module) ?? null;
}

/** The kernel refused a module: where this run brought the file, it leaves again. */
export async function takeOwnBack(
  application: Application,
  { kernel, file, module, installed }: OwnModule,
): Promise<void> {
  if (installed) return;
  const step = { do: 'drop', place: 'active', kernel, file, keep: false, ifRegistered: null } as const;
  await transact(application, { steps: [step], blobs: new Map() });
  application.reverted.add(kernel);
  application.ui.warn(`The kernel refused ${module}; ${file} was taken away again.`);
}
