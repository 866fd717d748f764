// From what was written to typed values: the nearest layer that can be read wins; security errs on the safe side.
import { type OptionKey, type OptionRow, optionRow } from './options.ts';
import { substitute } from './substitute.ts';
import { isUnreadable, readValue, type Value } from './values.ts';
import { type Remarks, type Settings, type Written, where } from './written.ts';

/** Never substituted: a `$` in a password is a `$` (dnf substitutes those of .repo files; a name that fits is rare and wrong). */
const LITERAL: ReadonlySet<OptionKey> = new Set(['password', 'proxy_password']);
const MAX_VALUE = 64 * 1024;

/** Typed access to layered settings of one section. */
export class Resolver {
  readonly #chain: readonly Settings[];
  readonly #variables: Readonly<Record<string, string>>;
  readonly #refused: ReadonlyMap<string, string>;
  readonly #remarks: Remarks;
  readonly #what: string;
  /** Why the section cannot be used as written; the first reason counts. */
  problem: { readonly code: 'config-value' | 'config-variable'; readonly text: string } | null = null;

  /** `chain`: nearest first. `refused`: variables that must not be used, and why. `what`: for messages. */
  constructor(
    chain: readonly Settings[],
    variables: Readonly<Record<string, string>>,
    refused: ReadonlyMap<string, string>,
    remarks: Remarks,
    what: string,
  ) {
    this.#chain = chain;
    this.#variables = variables;
    this.#refused = refused;
    this.#remarks = remarks;
    this.#what = what;
  }

  bool(key: OptionKey): boolean {
    return this.#value(key) === true;
  }

  number(key: OptionKey): number {
    const value = this.#value(key);
    return typeof value === 'number' ? value : 0;
  }

  /** A text; null where it is absent or empty. */
  text(key: OptionKey): string | null {
    const value = this.#value(key);
    return typeof value === 'string' && value !== '' ? value : null;
  }

  value(key: OptionKey): Value | null {
    return this.#value(key);
  }

  /** What was written last for it in the nearest layer; null where nothing was. */
  written(key: OptionKey): Written | null {
    for (const settings of this.#chain) {
      const last = settings.get(key)?.at(-1);
      if (last !== undefined) return last;
    }
    return null;
  }

  /** A list; of an appending option the elements of this (nearest) layer only, added up. */
  list(key: OptionKey): string[] {
    const row = optionRow(key) as OptionRow;
    if (row.append !== true) {
      const value = this.#value(key);
      return Array.isArray(value) ? value.filter((item) => item !== '') : [];
    }
    let items: string[] = [];
    for (const written of this.#chain[0]?.get(key) ?? []) {
      const value = readValue(row, this.#expand(row.key as OptionKey, written));
      if (!Array.isArray(value)) continue;
      items = value[0] === '' ? value.slice(1) : [...items, ...value];
    }
    return [...new Set(items)];
  }

  /** Substitutes variables in a text of this section, noting what is missing. `place` goes on behind what the section is. */
  #substituted(text: string, place: string): string {
    const done = substitute(text, this.#variables);
    if (done.overflow || done.text.length > MAX_VALUE) {
      this.#fail('config-variable', `${place}: variables are nested too deep or grow too long.`);
      return text;
    }
    for (const name of done.unknown) {
      const why = this.#refused.get(name) ?? (/^releasever/.test(name) ? 'is not known' : null);
      if (why !== null) {
        this.#fail('config-variable', `${place} needs $${name}, which ${why}.`);
      } else {
        this.#note(
          'config-variable',
          `${this.#what}${place} uses $${name}, which is not set; it stays as it is written.`,
        );
      }
    }
    if (/[\x00-\x09\x0b-\x1f\x7f]/.test(done.text.replace(/\t/g, ' '))) {
      this.#fail('config-value', `${place} holds a control character.`);
    }
    return done.text;
  }

  #expand(key: OptionKey, written: Written): string {
    if (LITERAL.has(key)) return written.text;
    return this.#substituted(written.text, `${key} (${where(written.origin)})`);
  }

  #value(key: OptionKey): Value | null {
    const row = optionRow(key) as OptionRow;
    for (const settings of this.#chain) {
      for (const written of (settings.get(key) ?? []).toReversed()) {
        const text = this.#expand(key, written);
        const value = readValue(row, text);
        if (!isUnreadable(value)) return value;
        const instead = row.safe === undefined ? 'it is passed over' : `the safe ${key}=1 is used`;
        this.#note('config-value', `${where(written.origin)}: ${key}=${text}: ${value.why}; ${instead}.`);
        if (row.safe !== undefined) return row.safe;
      }
    }
    if (row.default === null) return row.type === 'list' || row.type === 'urls' ? [] : null;
    return readValue(row, row.default) as Value;
  }

  #note(code: 'config-value' | 'config-variable', text: string): void {
    if (!this.#remarks.notices.some((notice) => notice.text === text)) this.#remarks.notices.push({ code, text });
  }

  #fail(code: 'config-value' | 'config-variable', text: string): void {
    this.problem ??= { code, text };
  }
}
