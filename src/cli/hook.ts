// `kpatch-pm hook ...`: called by kernel-install, never by people. It is reached before the option parser is loaded,
// because every millisecond is paid in somebody's dnf; and whatever happens, the answer is 0.
import { rpmArch } from '../host/arch.ts';
import { isContained } from '../host/real.ts';
import { Root } from '../host/root.ts';
import { kernelInstall } from '../integrate/kernel-install.ts';
import type { Surroundings } from './surroundings.ts';

/** `kernel-install [--installroot DIR] add|remove KVER ...`. Always gives 0. */
export async function hook(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const verbose = surroundings.env.KERNEL_INSTALL_VERBOSE === '1';
  const say = (text: string): void => {
    if (verbose) surroundings.stderr.write(`kpatch-pm: ${text}\n`);
  };
  try {
    const [which, ...rest] = words;
    if (which !== 'kernel-install') say(`there is no hook ${JSON.stringify(which ?? '')}`);
    else await toKernelInstall(rest, surroundings, say);
  } catch (error) {
    // A fault of ours must not break the installation of a kernel.
    say(`the hook failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  return 0;
}

async function toKernelInstall(
  words: readonly string[],
  surroundings: Surroundings,
  say: (text: string) => void,
): Promise<void> {
  const host = new Root(surroundings.hostPath);
  const elsewhere = words[0] === '--installroot' ? words[1] : undefined;
  const root = elsewhere === undefined ? host : new Root(elsewhere);
  const { run, now, env, uid, arch } = surroundings;
  const machine = { root, host, run, now, env, uid, arch: rpmArch(arch), live: root === host && !isContained(host) };
  await kernelInstall(elsewhere === undefined ? words : words.slice(2), machine, say);
}
