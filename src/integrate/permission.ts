// Whether an unattended run may work now, and whether it may touch the running kernel.
import type { Problem } from '../domain/because.ts';
import { inWindows } from '../domain/window.ts';
import type { Machine } from '../host/machine.ts';
import { readConfig } from '../observe/config/config.ts';
import { readKpatchConf } from '../observe/config/kpatchconf.ts';
import type { Request } from '../pipeline.ts';
import { readUnattended } from '../state/unattended.ts';

export interface Permission {
  /** `later`: what is queued waits; `never`: nobody will come for it. */
  readonly work: 'yes' | 'later' | 'never';
  readonly load: boolean;
  /** Why not, in one sentence; empty when everything is permitted. */
  readonly why: string;
  readonly notices: readonly Problem[];
}

/** Asks the settings, the freeze date, the agreement of a person, and the maintenance window, in this order. */
export function unattendedPermission(machine: Machine, request: Request): Permission {
  const { root, uid } = machine;
  const config = readConfig(root, {
    ...request.config,
    hostRoot: machine.host,
    env: machine.env,
    arch: machine.arch,
    releaseOf: () => null,
  });
  const notices: Problem[] = [];
  if (!readKpatchConf(root, config.main.pluginconfpath).autoupdate) {
    return no('never', 'The setting is manual: unattended runs do nothing. To change that: kpatch-pm auto', notices);
  }
  const now = machine.now();
  const { freezeUntil, maintenanceWindow } = config.kpm;
  if (localDate(now) < freezeUntil) {
    return no('later', `Unattended runs are frozen until ${freezeUntil} (freeze_until).`, notices);
  }
  const agreed = readUnattended(root, uid, (notice) => notices.push(notice));
  if (agreed === null) {
    const why =
      'autoupdate is on, but nobody typed `kpatch-pm auto` on this machine: patches are installed, the running kernel is left alone.';
    return { work: 'yes', load: false, why, notices };
  }
  if (!inWindows(maintenanceWindow, now.getDay(), now.getHours() * 60 + now.getMinutes())) {
    const why = 'Outside the maintenance window: patches are installed, the running kernel is left alone.';
    return { work: 'yes', load: false, why, notices };
  }
  return { work: 'yes', load: true, why: '', notices };
}

const no = (work: 'later' | 'never', why: string, notices: readonly Problem[]): Permission => ({
  work,
  load: false,
  why,
  notices,
});

/** `2026-12-24`, in local time. */
function localDate(now: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
