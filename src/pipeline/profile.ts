// Satellite and Katello know a host by the package profile it uploads. dnf's plugin of subscription-manager uploads it after
// each transaction; what we tell the rpm database passes that plugin by, so the uploader is started here.
// Source: subscription-manager (rhsmcertd.c, its spec file: libexec/rhsm-package-profile-uploader), katello-host-tools
// (katello-package-upload), rhsm.conf(5) (report_package_profile, which the uploader itself obeys).
import { type Action, isTake } from '../domain/plan.ts';
import { KpmError } from '../errors.ts';
import type { Machine, Ui } from '../host/machine.ts';
import type { Root } from '../host/root.ts';
import { findRpmdb } from '../host/rpmdb.ts';
import type { Run } from '../host/run.ts';
import type { Result } from '../pipeline.ts';

/** The first that is there is used. */
const UPLOADERS = ['usr/libexec/rhsm-package-profile-uploader', 'usr/sbin/katello-package-upload'];
/** Only a registered host has it; the uploaders do nothing without. Source: rhsm.conf(5), consumerCertDir. */
const IDENTITY = 'etc/pki/consumer/cert.pem';
/** A server that cannot be reached holds the uploader for three minutes (server_timeout of rhsm.conf): that is too long. */
const LIMIT_MS = 30_000;

/** After a run on the running system that changed packages rpm knows of: has the profile uploaded. Never fails. */
export async function afterPackages(machine: Machine, { plan, report }: Result, ui: Ui): Promise<void> {
  if (!machine.root.isHost || !machine.live || findRpmdb(machine.root) === null) return;
  const changed = (action: Action): boolean => isTake(action) || action.do === 'remove';
  if (!plan.actions.some((action, n) => changed(action) && report?.outcomes[n]?.outcome === 'done')) return;
  await uploadProfile(machine.host, machine.run, ui);
}

/** Starts the uploader of a registered host and waits for it, at most half a minute. What goes wrong is a warning. */
export async function uploadProfile(host: Root, run: Run, ui: Ui, limit: number = LIMIT_MS): Promise<void> {
  const uploader = UPLOADERS.map((file) => host.realPath(file)).find((file) => file !== null);
  if (!uploader || !host.exists(IDENTITY)) return;
  ui.detail(`The package profile is uploaded by ${uploader}.`);
  try {
    const { status, stderr } = await run.run(uploader, [], { timeout: limit });
    if (status === 0) return;
    const why = stderr.trim().split('\n').at(-1) || `it ended with status ${status}`;
    ui.warn(late(why));
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    ui.warn(late(error.message.replace(/\.$/, '')));
  }
}

const late = (why: string): string =>
  `The package profile was not uploaded (${why.slice(0, 300)}): Satellite sees the live patches when rhsmcertd uploads it, within some hours.`;
