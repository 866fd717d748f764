// SELinux labels of module files. Source: the scriptlets of the vendor's live-patch packages (chcon -t modules_object_t),
// and why var/lib/kpatch keeps its own label: kmod_t may not read kpatch_var_lib_t files.
import type { Problem } from '../domain/because.ts';
import type { Machine } from '../host/machine.ts';

type Surroundings = Pick<Machine, 'root' | 'host' | 'live' | 'run'>;

/** Labels matter on the running system only; a root that is prepared elsewhere is labelled by its own first boot. */
function labels(machine: Surroundings): boolean {
  return machine.live && machine.host.exists('sys/fs/selinux/enforce');
}

async function attempt(
  machine: Surroundings,
  relative: string,
  program: string,
  args: string[],
  named: string = relative,
): Promise<Problem | null> {
  if (!labels(machine)) return null;
  const path = machine.root.realPath(relative);
  if (path === null) return null;
  const shown = machine.root.show(named);
  const cost = 'SELinux may keep the kernel from loading it';
  if (machine.run.which(program) === null) {
    return { code: 'program-missing', text: `${shown} was not labelled, for ${program} is not installed: ${cost}.` };
  }
  const { status, stderr } = await machine.run.run(program, [...args, path]);
  if (status === 0) return null;
  const why = (stderr.trim().split('\n')[0] ?? '').replaceAll(path, shown).replace(/^\S*\/(?=\w+:)/, '');
  return { code: 'label-failed', text: `${shown} was not labelled (${why}): ${cost}.` };
}

/** Gives a module file the type the kernel may be fed from. A problem is told, never fatal; `named`: the path it will have then. */
export function labelModule(machine: Surroundings, relative: string, named?: string): Promise<Problem | null> {
  return attempt(machine, relative, 'chcon', ['-t', 'modules_object_t'], named);
}

/** Gives a directory that was just created the label the policy has for it. */
export function labelDirectory(machine: Surroundings, relative: string): Promise<Problem | null> {
  return attempt(machine, relative, 'restorecon', []);
}
