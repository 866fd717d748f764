// --setopt=[REPO.]KEY=VALUE, --repofrompath and --repo lists, as dnf(8) has them.
import { KpmError } from '../../errors.ts';
import { glob } from '../repo/filter.ts';
import { NOT_HONOURED, type OptionKey, optionRow, PASSED_OVER } from './options.ts';
import { isUnreadable, readValue } from './values.ts';
import { put, type Remarks, type Settings } from './written.ts';

export interface Setopts {
  readonly main: Settings;
  /** The settings for one repository id, in order of the command line. */
  forRepo(id: string): Settings;
  readonly refused: readonly string[];
}

interface Parsed {
  readonly repo: string | null;
  readonly key: OptionKey;
  readonly value: string;
  readonly text: string;
}

/** Reads all of them. Raises `setopt-invalid` for one without `=`, or with a value its option cannot take. */
export function readSetopts(texts: readonly string[], remarks: Remarks): Setopts {
  const refused: string[] = [];
  const parsed = texts.flatMap((text) => parse(text, remarks, refused) ?? []);
  const collect = (applies: (option: Parsed) => boolean): Settings => {
    const settings: Settings = new Map();
    for (const option of parsed.filter(applies)) {
      const origin = { file: `--setopt=${option.text}`, line: 0 };
      put(settings, option.key, { text: option.value, origin, from: 'host' });
    }
    return settings;
  };
  return {
    main: collect(({ repo }) => repo === null),
    forRepo: (id) => collect(({ repo }) => repo !== null && glob(repo)(id)),
    refused,
  };
}

function parse(text: string, remarks: Remarks, refused: string[]): Parsed | null {
  const equal = text.indexOf('=');
  if (equal < 1) throw invalid(text, 'has the form [REPO.]KEY=VALUE');
  const left = text.slice(0, equal).trim();
  const value = text.slice(equal + 1);
  const dot = left.lastIndexOf('.');
  const repo = dot < 0 ? null : left.slice(0, dot);
  const key = left.slice(dot + 1);
  // A password must not come back in a message.
  const shown = /password/.test(key) ? `${left}=...` : text;
  if (NOT_HONOURED[key] !== undefined) {
    if (!/^(?:0|no|false|off|)$/i.test(value)) refused.push(`--setopt=${shown}: ${NOT_HONOURED[key]}`);
    return null;
  }
  const row = optionRow(key);
  if (row === null || row.scope === (repo === null ? 'repo' : 'main')) {
    if (row !== null || !PASSED_OVER.has(key)) {
      const where = repo === null ? 'the main configuration' : 'a repository';
      remarks.notices.push({ code: 'config-option', text: `--setopt=${shown}: ${where} has no option ${key}.` });
    }
    return null;
  }
  const readable = readValue(row, value);
  if (isUnreadable(readable) && !value.includes('$')) throw invalid(shown, readable.why);
  return { repo, key: row.key as OptionKey, value, text: shown };
}

function invalid(text: string, why: string): KpmError {
  return new KpmError('setopt-invalid', {
    text: `--setopt=${text} cannot be used: ${why}.`,
    subject: text,
    hint: 'For example: --setopt=baseos.priority=10 or --setopt=timeout=60.',
  });
}

/** `--repofrompath ID,PATH`: a repository for this run. Raises `setopt-invalid`. */
export function parseRepoFromPath(text: string): { id: string; url: string } {
  const comma = text.indexOf(',');
  const id = text.slice(0, Math.max(comma, 0)).trim();
  const url = text.slice(comma + 1).trim();
  if (!repoIdOk(id) || url === '') {
    throw new KpmError('setopt-invalid', {
      text: `--repofrompath ${text} cannot be used: it has the form ID,PATH-OR-URL.`,
      subject: text,
      hint: 'For example: --repofrompath mine,/srv/repo',
    });
  }
  return { id, url };
}

/** Letters, digits and `- _ . :`, and not a path. Source: dnf.conf(5), REPO OPTIONS. */
export function repoIdOk(id: string): boolean {
  return /^[A-Za-z0-9_.:-]{1,255}$/.test(id) && !/^\.+$/.test(id);
}
