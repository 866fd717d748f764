// Our own options: etc/kpatch-pm/kpatch-pm.conf, then conf.d/*.conf in order of name; the last one written wins.
import type { Problem } from '../../domain/because.ts';
import { parseCohort, parseCves, parseSeverities, parseSteps } from '../../domain/rollout.ts';
import { parseWindows, type Window } from '../../domain/window.ts';
import { KpmError } from '../../errors.ts';
import { unquoted } from '../../formats/ini/document.ts';
import type { Root } from '../../host/root.ts';
import { faultsText, filesIn, type IniFile, readIniFile } from './files.ts';
import type { ConfigRequest, KpmConfig } from './types.ts';
import { readBool, readList, readSeconds } from './values.ts';

const FILE = 'etc/kpatch-pm/kpatch-pm.conf';
const DROP_INS = 'etc/kpatch-pm/conf.d';

type RolloutType = 'steps' | 'cohort' | 'severities' | 'cves';

export interface KpmOptionRow {
  readonly key: string;
  readonly type: 'loader' | 'bool' | 'seconds' | 'windows' | 'date' | 'conflict' | RolloutType;
  readonly default: string;
  /** What counts where the written value cannot be read, if not the default: a typo must not permit what it meant to forbid. */
  readonly safe?: string;
  readonly flag?: string;
  readonly meaning: string;
}

/** The options of [main]; docs/man/kpatch-pm.conf.5 is written from this table. */
export const KPM_OPTIONS = [
  {
    key: 'loader',
    type: 'loader',
    default: 'auto',
    meaning: 'auto (the kpatch utility where it is installed), kpatch, or builtin.',
  },
  {
    key: 'allow_unsigned',
    type: 'bool',
    default: '0',
    flag: '--nogpgcheck',
    meaning: 'Modules of packages without a trusted signature are installed. Said aloud in every run.',
  },
  {
    key: 'lock_timeout',
    type: 'seconds',
    default: '0',
    flag: '--lock-timeout',
    meaning: 'How long to wait for another run.',
  },
  {
    key: 'stall_signal',
    type: 'seconds',
    default: '30',
    meaning: 'A transition that takes longer is helped along by a signal to the tasks in its way.',
  },
  { key: 'stall_give_up', type: 'seconds', default: '90', meaning: 'A transition that takes longer is reversed.' },
  {
    key: 'pin_first_signer',
    type: 'bool',
    default: '1',
    meaning:
      'The first successful installation pins the stream of its live patches to the key that signed them (after a question, where a person can answer). 0: no pin is proposed.',
  },
  {
    key: 'key_expiry_warning',
    type: 'seconds',
    default: '30d',
    meaning: 'How long before the last good key for live patches expires `status` begins to warn.',
  },
  {
    key: 'maintenance_window',
    type: 'windows',
    default: 'always',
    safe: 'never',
    meaning:
      'When unattended runs may load into the running kernel: `Mon-Fri 22:00-04:00`, `Sat,Sun 00:00-24:00`, several with `;`, in local time; always, or never. At other times they only install.',
  },
  {
    key: 'freeze_until',
    type: 'date',
    default: '',
    safe: '9999-12-31',
    meaning: 'A date (YYYY-MM-DD) before which unattended runs do nothing at all; what waits is done then.',
  },
  {
    key: 'min_age',
    type: 'seconds',
    default: '0',
    safe: '3650d',
    meaning:
      'How long a level must have been published before it is taken by itself. What is named with `install` or `upgrade` does not wait.',
  },
  {
    key: 'rollout.percent',
    type: 'steps',
    default: '100',
    safe: '0',
    meaning:
      'The share of machines that take a new level by themselves, or steps that count from when it was published: `5, 25 after 1d, 100 after 7d`. May be written as percent in a section [rollout], as its companions may.',
  },
  {
    key: 'rollout.cohort',
    type: 'cohort',
    default: 'auto',
    safe: 'last',
    meaning:
      'The place of this machine in the rollout: auto (drawn from its machine-id, anew for each level), a number from 0 (first) to 99.99, canary (0), last (99.99), or the name of a group that moves together.',
  },
  {
    key: 'rollout.bypass_severity',
    type: 'severities',
    default: '',
    meaning:
      'A level that brings a fix of one of these severities does not wait: low, moderate, important, critical. Needs advisories.',
  },
  {
    key: 'rollout.bypass_cves',
    type: 'cves',
    default: '',
    meaning: 'A level that fixes one of these CVEs does not wait. Needs advisories.',
  },
  {
    key: 'on_conflict',
    type: 'conflict',
    default: 'warn',
    safe: 'refuse',
    meaning:
      'What to do when a function that a live patch replaces has a kprobe, an ftrace user or a BPF trampoline on it: warn, or refuse to load.',
  },
] as const satisfies readonly KpmOptionRow[];

type Key = (typeof KPM_OPTIONS)[number]['key'];

/**
 * Reads them. A value that cannot be read is a notice, and the default counts.
 * [pins] holds, for each live-patch stream, the fingerprints that alone may sign it; a line there that cannot be read
 * pins to nothing, so that a typo never opens what was closed. Raises `config-missing` for `--kpm-config`.
 */
export function readKpmConfig(root: Root, request: ConfigRequest, notices: Problem[]): KpmConfig {
  const values = new Map<string, { value: string; where: string }>();
  const pins = new Map<string, string[]>();
  const files = kpmFiles(root, request, notices);
  for (const found of files) {
    if (found.document.faults.length > 0) {
      notices.push({ code: 'config-broken', text: `${faultsText(found)}; the other lines count.` });
    }
    for (const section of found.document.sections) {
      for (const entry of section.entries) {
        const where = `${found.file} line ${entry.line}`;
        const value = unquoted(entry.value);
        const key = [`${section.name}.${entry.key}`, entry.key].find(isOption);
        if (section.name === 'pins') pins.set(entry.key, fingerprints(value, where, notices));
        else if (key !== undefined) values.set(key, { value, where });
        else
          notices.push({ code: 'config-option', text: `${where}: there is no option ${entry.key}; it is not used.` });
      }
    }
  }
  const typed = <T>(key: Key, read: (text: string) => T | null): T => {
    const row = KPM_OPTIONS.find((one) => one.key === key) as KpmOptionRow;
    const written = values.get(key);
    if (written === undefined) return read(row.default) as T;
    const value = read(written.value);
    if (value !== null) return value;
    const instead = row.safe ?? row.default;
    const text = `${written.where}: ${key}=${written.value} cannot be read; ${instead} is used.`;
    notices.push({ code: 'config-value', text });
    return read(instead) as T;
  };
  const seconds = (text: string): number | null => {
    const value = readSeconds(text);
    return typeof value === 'number' ? value : null;
  };
  const finite = (text: string): number | null => {
    const value = seconds(text);
    return value !== null && Number.isFinite(value) ? value : null;
  };
  return {
    loader: typed('loader', (text) => (text === 'auto' || text === 'kpatch' || text === 'builtin' ? text : null)),
    allowUnsigned: typed('allow_unsigned', readBool),
    lockTimeout: typed('lock_timeout', seconds),
    stallSignal: typed('stall_signal', seconds),
    stallGiveUp: typed('stall_give_up', seconds),
    pinFirstSigner: typed('pin_first_signer', readBool),
    keyExpiryWarning: typed('key_expiry_warning', seconds),
    maintenanceWindow: typed('maintenance_window', readWindows),
    freezeUntil: typed('freeze_until', readDate),
    onConflict: typed('on_conflict', (text) => (text === 'warn' || text === 'refuse' ? text : null)),
    rollout: {
      steps: typed('rollout.percent', parseSteps),
      cohort: typed('rollout.cohort', parseCohort).cohort,
      minAge: typed('min_age', finite),
      bypassSeverity: typed('rollout.bypass_severity', parseSeverities),
      bypassCves: typed('rollout.bypass_cves', parseCves),
    },
    pinnedKeys: [...pins].map(([stream, keys]) => ({ stream, fingerprints: keys })),
    files: files.map(({ file }) => file),
  };
}

const isOption = (name: string): name is Key => KPM_OPTIONS.some(({ key }) => key === name);

function readWindows(text: string): Window[] | null {
  if (text === 'never') return [];
  return parseWindows(text === 'always' ? '00:00-24:00' : text);
}

/** A day of the calendar, or nothing. */
function readDate(text: string): string | null {
  if (text === '') return text;
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : null;
  return date !== null && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) ? text : null;
}

function kpmFiles(root: Root, request: ConfigRequest, notices: Problem[]): IniFile[] {
  const remarks = { notices, details: [] };
  const asked = request.kpmConfigFile;
  if (asked !== undefined) {
    if (request.hostRoot.stat(asked)?.isFile() !== true) {
      throw new KpmError('config-missing', {
        text: `The configuration file ${asked} does not exist.`,
        subject: asked,
        hint: 'Give an existing file with --kpm-config FILE; the path counts from the host.',
      });
    }
    const only = readIniFile(request.hostRoot, asked, remarks, true);
    return only === null ? [] : [only];
  }
  const paths = [FILE, ...filesIn(root, DROP_INS, '.conf', remarks)];
  return paths.flatMap((path) => readIniFile(root, path, remarks, true) ?? []);
}

function fingerprints(text: string, where: string, notices: Problem[]): string[] {
  const words = readList(text).filter((word) => word !== '');
  const good = words.map((word) => word.toUpperCase()).filter((word) => /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/.test(word));
  if (good.length !== words.length || words.length === 0) {
    notices.push({
      code: 'config-value',
      text: `${where}: a pin is one or more full fingerprints; the others are not trusted.`,
    });
  }
  return good;
}
