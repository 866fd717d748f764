// systemd as far as we use it: whether it runs, asking it for something, and reading which units are enabled.
// Source: sd_booted(3) (/run/systemd/system), systemctl(1), systemd.unit(5) (unit load path, symbolic links).
import type { UnitState } from '../domain/world.ts';
import { KpmError } from '../errors.ts';
import type { Root } from './root.ts';
import type { Run } from './run.ts';

/** Whether systemd is the service manager of this running system. */
export function systemdRuns(host: Root): boolean {
  return host.lstat('run/systemd/system')?.isDirectory() ?? false;
}

/** Runs systemctl; null when it did what was asked, else its reason. Never raises for a missing or failing systemctl. */
export async function systemctl(run: Run, args: readonly string[], timeout = 30_000): Promise<string | null> {
  try {
    const { status, stderr } = await run.run('systemctl', args, { timeout });
    if (status === 0) return null;
    return stderr.trim().split('\n').at(-1)?.replace(/\.$/, '') || `systemctl ended with status ${status}`;
  } catch (error) {
    if (error instanceof KpmError) return error.message.replace(/\.$/, '');
    throw error;
  }
}

const CONFIGURED = ['etc/systemd/system', 'run/systemd/system'];
const SHIPPED = ['usr/local/lib/systemd/system', 'usr/lib/systemd/system', 'lib/systemd/system'];

/** Whether a unit of a root exists and starts at boot, read from its files: it works for systems that are not running. */
export function unitState(root: Root, unit: string): UnitState {
  for (const place of CONFIGURED) {
    if (root.readlink(`${place}/${unit}`) === '/dev/null') return 'masked';
  }
  const exists = [...CONFIGURED, ...SHIPPED].some((place) => root.lstat(`${place}/${unit}`) !== null);
  if (!exists) return 'absent';
  const wanted = [...CONFIGURED, ...SHIPPED].some((place) =>
    root
      .list(place)
      .some((name) => /\.(wants|requires)$/.test(name) && root.lstat(`${place}/${name}/${unit}`) !== null),
  );
  return wanted ? 'enabled' : 'disabled';
}
