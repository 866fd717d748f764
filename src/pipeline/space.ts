// Room for everything a plan will write, asked before anything is fetched: a transaction looks again before it begins, but
// by then others of the same plan may be done, and the network was used for nothing.
import { bytesToFetch } from '../apply/fetch.ts';
import { BASE } from '../apply/places.ts';
import { checkSpace, type Need } from '../apply/space.ts';
import { isTake, type Plan } from '../domain/plan.ts';
import { findRpmdb } from '../host/rpmdb.ts';
import { STATE } from '../state/directory.ts';
import type { Observed } from './observed.ts';

/** Receipts, journal, record and directories of a run. */
const STATE_BYTES = 1024 * 1024;
/** rpm's sqlite database writes ahead: 1000 pages of 4 KiB by default. Source: sqlite.org/wal.html. */
const RPMDB_BYTES = 4 * 1024 * 1024;
/** A header with its files and change log, and its index entries. */
const HEADER_BYTES = 128 * 1024;

/**
 * Raises `no-space`, with nothing fetched or changed, when a file system has not the room for the whole plan. Sizes are those of
 * the metadata; where it does not tell one, the transaction itself finds out.
 */
export function checkPlanSpace(observed: Observed, plan: Plan): void {
  checkSpace([...fetchNeeds(observed, plan), ...installNeeds(observed, plan)], 'nothing was downloaded or changed');
}

/** Bytes a plan will write besides what it fetches, on whatever file systems. */
export function planBytes(observed: Observed, plan: Plan): number {
  return installNeeds(observed, plan).reduce((sum, { bytes }) => sum + bytes, 0);
}

function fetchNeeds({ cache, snapshots }: Observed, plan: Plan): Need[] {
  const { own } = cache;
  if (own === null) return [];
  return plan.actions.filter(isTake).flatMap(({ package: pkg }) => {
    const origin = snapshots.find(({ state }) => state.id === pkg.repo);
    return origin ? [{ root: own.root, path: own.base, bytes: bytesToFetch(cache, origin, pkg), files: 1 }] : [];
  });
}

function installNeeds({ machine, rpmdb }: Observed, plan: Plan): Need[] {
  const { root } = machine;
  const taken = plan.actions.filter(isTake);
  const own = plan.actions.flatMap((action) => (action.do === 'own' ? [action.own.size] : []));
  if (taken.length + own.length === 0) return [];
  const need = (path: string, bytes: number, files: number): Need => ({ root, path, bytes, files });
  // What is renamed from staging counts where it lies in the end. Where not all packages find room in staging together, each is
  // a transaction of its own, and the largest is what counts.
  const staged = Math.max(
    0,
    ...own,
    ...taken.map((action) => (action.package.size ?? 0) + (action.package.installedSize ?? 0)),
  );
  const needs = [need(STATE, STATE_BYTES + staged, 8 + 4 * taken.length)];
  for (const { package: pkg } of taken) {
    needs.push(need(BASE.active, pkg.installedSize ?? 0, 2));
    if (rpmdb.how === 'rpm') needs.push(need(BASE.payload, pkg.installedSize ?? 0, 4));
  }
  for (const bytes of own) needs.push(need(BASE.active, bytes, 2));
  const database = rpmdb.how === 'rpm' ? findRpmdb(root) : null;
  if (database !== null && taken.length > 0) {
    needs.push(need(database, RPMDB_BYTES + taken.length * HEADER_BYTES, 2));
  }
  return needs;
}
