// The keys on the screen and as JSON.
import { spaced } from '../../pipeline/consent.ts';
import type { KeyDone } from '../../usecases/keys/change.ts';
import type { KeyEntry, KeyList, KeyState, PinEntry } from '../../usecases/keys/list.ts';
import { cleanDeep } from './clean.ts';
import { JSON_FORMAT } from './json.ts';
import type { Style, Tone } from './style.ts';
import { type Column, type Row, table } from './table.ts';

const COLUMNS: readonly Column[] = [
  { head: 'Key' },
  { head: 'Expires', toned: true },
  { head: 'Kept in' },
  { head: 'Pinned' },
];

const TONES: Record<KeyState, Tone> = { good: 'plain', expired: 'wait', revoked: 'bad', unfit: 'wait' };

const day = (date: Date | null): string => date?.toISOString().slice(0, 10) ?? 'never';

const HOMES = { rpm: 'rpm', store: 'kpatch-pm' } as const;

function validity({ state, ends }: KeyEntry): string {
  return state === 'good' || state === 'expired' ? day(ends) : state;
}

function rowOf(entry: KeyEntry): Row {
  const { key, state, homes, pins } = entry;
  const cells = [key.fingerprint, validity(entry), homes.map((home) => HOMES[home]).join('+'), pins.join(', ') || '-'];
  return { cells, tone: TONES[state], below: [`   ${cleanDeep(key.owner) || '(no owner)'}`] };
}

/** The whole list; ends with a line break. */
export function renderKeys({ keys, pins, removed }: KeyList, style: Style): string {
  const groups: Row[] = [];
  const packageKeys = keys.filter(({ repo }) => repo === null);
  if (packageKeys.length > 0) groups.push({ heading: 'Signing packages:' }, ...packageKeys.map(rowOf));
  for (const repo of new Set(keys.flatMap(({ repo }) => repo ?? []))) {
    groups.push({ heading: `Signing the metadata of ${cleanDeep(repo)}:` });
    groups.push(...keys.filter((entry) => entry.repo === repo).map(rowOf));
  }
  const lines = groups.length > 0 ? table(COLUMNS, groups, style) : ['No key is trusted.'];
  const strangers = pins.filter(({ fingerprint }) => !packageKeys.some(({ key }) => key.fingerprint === fingerprint));
  if (strangers.length > 0) lines.push('', 'Pinned, but not trusted:', ...strangers.map(pinLine));
  if (removed.length > 0) {
    lines.push('', 'Removed on purpose; back only by kpatch-pm keys import:');
    lines.push(
      ...removed.map(({ fingerprint, owner, since }) => ` ${fingerprint} ${cleanDeep(owner)} (${since.slice(0, 10)})`),
    );
  }
  return `${lines.join('\n')}\n`;
}

const pinLine = ({ stream, fingerprint, owner }: PinEntry): string =>
  ` ${fingerprint} ${cleanDeep(owner)} (${stream})`.replace('  ', ' ');

/** Everything about one key; ends with a line break. */
export function renderKey(entry: KeyEntry): string {
  const { key, repo, homes, packages, pins, state, ends } = entry;
  const kept = [...homes.map((home) => HOMES[home]), ...packages].join(', ');
  const reason = key.revoked ?? key.primary.unfit;
  const rows: [string, string][] = [
    ['Fingerprint', spaced(key.fingerprint)],
    ...key.userIds.map((id): [string, string] => ['User id', id]),
    ['Algorithm', `${key.algorithm}, OpenPGP version ${key.version}`],
    ['Created', day(key.created)],
    ['Expires', day(ends)],
    ['State', reason === null ? state : `${state}: ${reason}`],
    ['Signs', repo === null ? 'packages' : `the metadata of ${repo}`],
    ['Kept in', kept],
    ['Pinned for', pins.join(', ') || '-'],
    ...key.subkeys.map(({ packet, revoked, unfit, expires }): [string, string] => [
      'Subkey',
      `${packet.fingerprint} ${revoked ?? unfit ?? `signs, expires ${day(expires)}`}`,
    ]),
  ];
  return rows.map(([name, value]) => `${name.padEnd(11)} : ${cleanDeep(value)}\n`).join('');
}

const DONE: Record<KeyDone['do'], string> = { import: 'imported', remove: 'removed', pin: 'pinned', unpin: 'unpinned' };

/** What was done, or in a dry run would be, one line each. */
export function renderDone(done: readonly KeyDone[], dryRun: boolean): string {
  if (done.length === 0) return 'Nothing to do.\n';
  return done
    .map((one) => {
      const { fingerprint, owner, stream, repo } = cleanDeep(one);
      const what = stream !== null ? ` for ${stream}` : repo !== null ? ` for the metadata of ${repo}` : '';
      const word = DONE[one.do];
      const said = dryRun ? `Would be ${word}` : `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
      return `${said}${what}: ${fingerprint}${owner === '' ? '' : ` (${owner})`}\n`;
    })
    .join('');
}

/** `keys --json`. */
export function keysJson({ keys, pins, removed }: KeyList, done: readonly KeyDone[]): unknown {
  return {
    format: JSON_FORMAT,
    keys: keys.map(({ key, repo, homes, packages, pins: streams, state, ends }) => ({
      fingerprint: key.fingerprint,
      keyid: key.keyid,
      owner: key.owner,
      user_ids: [...key.userIds],
      algorithm: key.algorithm,
      created: key.created.toISOString(),
      expires: ends?.toISOString() ?? null,
      state,
      reason: key.revoked ?? key.primary.unfit,
      signs: repo === null ? 'packages' : 'metadata',
      repository: repo,
      kept_in: homes.map((home) => HOMES[home]),
      packages: [...packages],
      pinned_for: [...streams],
    })),
    pins: pins.map(({ stream, fingerprint, owner, since, overruled }) => ({
      stream,
      fingerprint,
      owner,
      since,
      source: since === null ? 'configuration' : 'recorded',
      overruled,
    })),
    removed: removed.map(({ fingerprint, owner, since }) => ({ fingerprint, owner, since })),
    done: done.map((one) => ({
      do: one.do,
      fingerprint: one.fingerprint,
      owner: one.owner,
      stream: one.stream,
      repository: one.repo,
    })),
    error: null,
  };
}
