// SELinux labels of files, as stat(1) shows them (%C). Only the running system has labels that count.
import { KpmError } from '../../errors.ts';
import type { Machine } from '../../host/machine.ts';

/** Labels of files below the root, null where one cannot be read; null where SELinux does not run. */
export async function labelsOf(
  machine: Pick<Machine, 'root' | 'host' | 'live' | 'run'>,
  files: readonly string[],
): Promise<Map<string, string | null> | null> {
  if (!machine.live || !machine.host.exists('sys/fs/selinux/enforce')) return null;
  const labels = new Map<string, string | null>();
  for (const file of files) labels.set(file, await labelOf(machine, file));
  return labels;
}

async function labelOf({ root, run }: Pick<Machine, 'root' | 'run'>, file: string): Promise<string | null> {
  try {
    const path = root.realPath(file);
    if (path === null) return null;
    const { status, stdout } = await run.run('stat', ['-c', '%C', path]);
    const label = stdout.toString('utf8').trim();
    return status === 0 && label !== '' && label !== '?' ? label : null;
  } catch (error) {
    if (error instanceof KpmError) return null;
    throw error;
  }
}
