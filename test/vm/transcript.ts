// What was typed in a guest and what came back, as a page of documentation.
import { writeFileSync } from 'node:fs';
import type { Guest } from './machine.ts';

/** Longer answers are cut: a page is read by people. */
const MOST_LINES = 40;

/** A page in the making: chapters, remarks, commands with their output. */
export class Transcript {
  readonly #lines: string[] = [];

  chapter(title: string, about: string): void {
    this.#lines.push('', `## ${title}`, '', about);
  }

  /** Runs a command in the guest and notes it with all it prints and its exit status, where that is not 0. Gives the output. */
  async type(guest: Guest, command: string, seconds = 300): Promise<string> {
    const { status, out } = await guest.run(`exec 2>&1; ${command}`, seconds);
    const text = out.trimEnd();
    const lines = text === '' ? [] : text.split('\n');
    const shown = lines.slice(0, MOST_LINES);
    if (lines.length > shown.length) shown.push(`[${lines.length - shown.length} more lines]`);
    const ended = status === 0 ? [] : [`[exit status ${status}]`];
    const code = [`# ${command}`, ...shown, ...ended].map((line) => `    ${line}`.trimEnd());
    this.#lines.push('', ...code);
    if (status !== 0) throw new Error(`in the guest: ${command}\nstatus ${status}\n${text}`);
    return text;
  }

  /** Writes the page. */
  save(file: string, head: readonly string[]): void {
    writeFileSync(file, `${[...head, ...this.#lines].join('\n')}\n`);
  }
}
