// Warning before the last key ends that can bring live patches to this machine: a fix nobody may install is no fix.
import type { Problem } from '../domain/because.ts';
import type { Receipt } from '../domain/receipt.ts';
import { KpmError } from '../errors.ts';
import type { PublicKey } from '../formats/openpgp/index.ts';
import { findRpmdb } from '../host/rpmdb.ts';
import { rpmdbState } from '../observe/system/rpmdb.ts';
import type { Cache } from '../state/cache.ts';
import { type KeyMemo, trustedKeys } from '../state/keys.ts';
import { rpmdbMemo } from '../state/rpmdbmemo.ts';
import { endOf } from './key-ends.ts';
import type { Observed } from './observed.ts';
import { pinsOf, STREAMS, streamOf } from './pins.ts';

const DAY = 86_400_000;

/** The warning about the key that lasts longest; null when it lasts longer than `warn` seconds, or there is none at all. */
export function expiryNotice(keys: readonly PublicKey[], now: Date, warn: number): Problem | null {
  const [last] = [...keys].sort((a, b) => until(b) - until(a));
  const end = last ? endOf(last) : null;
  if (!last || end === null || Number(end) - Number(now) > warn * 1000) return null;
  const who = `${last.fingerprint} (${last.owner})`;
  const many = keys.length === 1 ? 'The key' : `The last of ${keys.length} keys`;
  const what = `${many} that may sign live patches for this machine, ${who},`;
  const next = 'import its newest form or its successor with kpatch-pm keys import';
  if (last.revoked) return notice(`${what} was revoked: ${next}.`);
  if (Number(end) === 0) return notice(`${what} is not fit to sign packages: ${next}.`);
  const day = end.toISOString().slice(0, 10);
  if (end <= now) return notice(`${what} expired on ${day}; new patches are refused: ${next}.`);
  const days = Math.floor((Number(end) - Number(now)) / DAY);
  return notice(`${what} expires on ${day}, ${days === 1 ? 'in one day' : `in ${days} days`}: ${next}.`);
}

const notice = (text: string): Problem => ({ code: 'key-expiring', text });

const until = (key: PublicKey): number => endOf(key)?.getTime() ?? Number.POSITIVE_INFINITY;

/**
 * What is to be said of the keys: of those a stream is pinned to; without a pin, of those that signed what is installed;
 * without anything installed, of all that are trusted.
 */
export async function keyNotices(
  { machine, config }: Pick<Observed, 'machine' | 'config'>,
  receipts: readonly Receipt[],
  cache: Cache,
): Promise<Problem[]> {
  const { root, run } = machine;
  const { keys: found, notices } = await trustedKeys(root, run, memoOf(machine, cache));
  const trusted = found.map(({ key }) => key);
  const problems: Problem[] = notices.filter(({ code }) => code === 'key-removed');
  const warn = (keys: readonly PublicKey[]): void => {
    const expiring = expiryNotice(keys, machine.now(), config.kpm.keyExpiryWarning);
    if (expiring) problems.push(expiring);
  };
  const streams = STREAMS.flatMap((stream) => {
    const signers = receipts
      .filter(({ package: { name } }) => streamOf(name) === stream)
      .flatMap((r) => r.signer ?? []);
    const pins = pinsShown({ machine, config }, stream, problems);
    const wanted = pins ?? signers.map(({ fingerprint }) => fingerprint);
    return pins === null && wanted.length === 0 ? [] : [{ stream, pins, wanted }];
  });
  for (const { stream, pins, wanted } of streams) {
    const mine = trusted.filter(({ fingerprint }) => wanted.includes(fingerprint));
    if (pins !== null && mine.length === 0) {
      const text = `The stream ${stream} is pinned to ${pins.join(', ') || 'no key'}, and no such key is trusted: its live patches are refused.`;
      problems.push({ code: 'key-missing', text });
    }
    warn(mine);
  }
  if (streams.length === 0) warn(trusted);
  return problems;
}

/** The pins for showing: a user who may not read them is told of the keys all the same. */
function pinsShown(
  observed: Pick<Observed, 'machine' | 'config'>,
  stream: string,
  problems: Problem[],
): string[] | null {
  try {
    return pinsOf(observed, stream);
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    if (error.code !== 'file-unreadable' || observed.machine.uid === 0) {
      problems.push({ code: error.code, text: error.message });
    }
    return null;
  }
}

function memoOf({ root }: Observed['machine'], cache: Cache): KeyMemo {
  const memo = rpmdbMemo(cache, 'keys');
  const state = (): string => {
    const place = findRpmdb(root);
    return place === null ? '' : rpmdbState(root, place);
  };
  const before = state();
  return {
    get: () => memo.get(before),
    // Asked as root, rpm may have touched the files: then nothing is remembered.
    put: (answer) => (state() === before ? memo.put(before, answer) : undefined),
  };
}
