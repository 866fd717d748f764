// Whether the functions of a loaded live patch are really redirected: what sysfs lists below the patch, and what the
// function tracer says is hooked. Source: Documentation/ABI/testing/sysfs-kernel-livepatch (PATCH/OBJECT/FUNCTION,SYMPOS),
// Documentation/trace/ftrace.rst of the kernel (enabled_functions; `I`: the hook changes the instruction pointer).
import type { FunctionProof } from '../../domain/layers.ts';
import { KpmError } from '../../errors.ts';
import { MAX_MODULE, moduleFacts } from '../../formats/elf/module.ts';
import type { Root } from '../../host/root.ts';

const TRACERS = ['sys/kernel/tracing/enabled_functions', 'sys/kernel/debug/tracing/enabled_functions'];

/** What the kernel shows of the functions that a module file names. Null where the file cannot be read as a module. */
export function functionProof(root: Root, host: Root, file: string, module: string): FunctionProof | null {
  const named = functionsOf(root, file);
  if (named === null) return null;
  const listed = host.list(`sys/kernel/livepatch/${module}/vmlinux`).flatMap((entry) => {
    const name = /^(.+),\d+$/.exec(entry)?.[1];
    return name === undefined ? [] : [name];
  });
  // Modules of other tools do not say it in their file; then sysfs alone says which they are.
  const wanted = named.length > 0 ? named : [...new Set(listed)];
  const hooked = redirected(host);
  return {
    expected: wanted.length,
    missing: wanted.filter((name) => !listed.includes(name)),
    unhooked: hooked === null ? null : wanted.filter((name) => !hooked.has(name)),
  };
}

/** Functions in the kernel itself: those of modules are patched only once the module is there. */
function functionsOf(root: Root, file: string): string[] | null {
  try {
    const bytes = root.read(file, MAX_MODULE);
    if (bytes === null) return null;
    const names = moduleFacts(bytes).functions.filter(({ object }) => object === 'vmlinux');
    return [...new Set(names.map(({ name }) => name))];
  } catch (error) {
    if (error instanceof KpmError) return null;
    throw error;
  }
}

/** Functions whose calls are led elsewhere; null where the tracer may not be read (it is root's) or is not there. */
function redirected(host: Root): Set<string> | null {
  for (const place of TRACERS) {
    try {
      const text = host.readText(place);
      if (text === null) continue;
      const lines = text.split('\n').filter((line) => /^\S+ \(\d+\)[^\t]*\bI\b/.test(line));
      return new Set(lines.map((line) => line.split(' ')[0] as string));
    } catch (error) {
      if (!(error instanceof KpmError)) throw error;
    }
  }
  return null;
}
