// The module files of a root as the kpatch utility sees them: every .ko in a kernel's directory, whoever put it there.
import path from 'node:path';
import { rpmvercmp } from '../../domain/evr.ts';
import { type KernelRelease, kernelRelease } from '../../domain/kernel.ts';
import { KpmError } from '../../errors.ts';
import { MAX_MODULE, type ModuleFacts, moduleFacts } from '../../formats/elf/module.ts';
import type { Root } from '../../host/root.ts';

const ACTIVE = 'var/lib/kpatch';

export interface ModuleFile {
  readonly kernel: KernelRelease;
  readonly file: string;
  /** Path below the root. */
  readonly path: string;
  /** Null where the file is no module. */
  readonly facts: ModuleFacts | null;
  /** As sysfs would show it. */
  readonly module: string;
}

/** Module files, by kernel and then in the order of their numbers (1-2 before 1-10). */
export function moduleFiles(root: Root, only: string | null = null): ModuleFile[] {
  return root
    .list(ACTIVE)
    .flatMap((name) => kernelRelease(name) ?? [])
    .filter((kernel) => only === null || kernel === only)
    .flatMap((kernel) =>
      root
        .list(`${ACTIVE}/${kernel}`)
        .filter((file) => file.endsWith('.ko') && !file.startsWith('.'))
        .filter((file) => root.stat(`${ACTIVE}/${kernel}/${file}`)?.isFile())
        .sort(rpmvercmp)
        .map((file) => fileAt(root, kernel, file)),
    );
}

function fileAt(root: Root, kernel: KernelRelease, file: string): ModuleFile {
  const where = `${ACTIVE}/${kernel}/${file}`;
  const facts = factsAt(root, where);
  return {
    kernel,
    file,
    path: where,
    facts,
    module: facts?.name ?? file.slice(0, -'.ko'.length).replace(/[-.]/g, '_'),
  };
}

/** The facts of a module file; null when it is none, or cannot be read. */
export function factsAt(root: Root, relative: string): ModuleFacts | null {
  try {
    const bytes = root.read(relative, MAX_MODULE);
    return bytes === null ? null : moduleFacts(bytes);
  } catch (error) {
    if (error instanceof KpmError) return null;
    throw error;
  }
}

/** An installed file of a kernel by file name or module name. */
export function installedFile(root: Root, kernel: string, name: string): ModuleFile | null {
  const files = moduleFiles(root, kernel);
  return files.find(({ file }) => file === name) ?? files.find(({ module }) => module === name) ?? null;
}

/** A path a person typed, below the host's root; null when nothing of that name is there. */
export function typedFile(host: Root, directory: string, typed: string): string | null {
  const relative = path.posix.relative('/', path.posix.resolve(directory, typed));
  return host.stat(relative)?.isFile() ? relative : null;
}
