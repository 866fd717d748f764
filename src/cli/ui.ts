// How the pipeline talks to a person: remarks, questions, progress.
import { KpmError } from '../errors.ts';
import type { Progress, Ui } from '../host/machine.ts';
import { meaning, readAnswer, type Source } from './answer.ts';
import { errorLines } from './failure.ts';
import type { Options } from './options.ts';
import type { Output } from './output.ts';
import { clean } from './render/clean.ts';
import { progressLine } from './render/progress.ts';
import { wrap } from './render/width.ts';

/** How often a moving line is drawn, ms. */
const EVERY = 100;

/**
 * The Ui of the command line. Remarks go to standard error; a question too while standard output carries JSON.
 * `source` is asked for only with a question: opening standard input takes milliseconds.
 */
export function terminalUi(output: Output, source: () => Source, options: Options, now: () => Date): Ui {
  const display = new ProgressDisplay(output, now, output.errMoves && !options.flag('quiet'));
  const say = (text: string): void => {
    display.hide();
    const lines = text.split('\n').flatMap((line) => wrap(clean(line), output.errStyle.width, '  '));
    output.err(`${lines.join('\n')}\n`);
  };
  return {
    note: (text) => (options.flag('quiet') ? undefined : say(text)),
    warn: (text) => say(`Warning: ${text}`),
    failure: (text, hint) => {
      display.hide();
      output.err(errorLines(text, hint, output.errStyle));
    },
    detail: (text) => (options.flag('verbose') ? say(text) : undefined),
    confirm: (question) => confirm(question, output, source(), options),
    progress: (label, total) => display.start(label, total),
  };
}

async function confirm(question: string, output: Output, source: Source, options: Options): Promise<boolean> {
  // While nobody is there, what was not decided beforehand is not done.
  if (options.flag('assumeno') || options.flag('unattended')) return false;
  if (options.flag('assumeyes')) return true;
  const json = options.flag('json');
  const seen = json ? output.errTerminal : output.outTerminal;
  if (source.isTTY !== true || !seen) {
    throw new KpmError('aborted', {
      text: 'Operation aborted.',
      hint: 'The question could not be asked without a terminal: run with -y, or with --dry-run to see the plan.',
    });
  }
  const ask = json ? output.err : output.out;
  for (;;) {
    ask(prompt(question));
    const answer = await readAnswer(source);
    if (answer === null) ask('\n');
    const meant = meaning(answer);
    if (meant !== null) return meant;
  }
}

/** Every question ends alike, whoever asks it. */
function prompt(question: string): string {
  const lines = question.replace(/\s*(\[y\/N\]:)?\s*$/, '').split('\n');
  return `${lines.map(clean).join('\n')} [y/N]: `;
}

interface Running {
  readonly label: string;
  readonly total: number | null;
  readonly started: number;
  done: number;
}

/** One line on a terminal for the oldest running work; a finished one leaves its line behind. */
class ProgressDisplay {
  readonly #output: Output;
  readonly #now: () => Date;
  readonly #active: boolean;
  readonly #running: Running[] = [];
  #drawn = 0;
  #visible = false;

  constructor(output: Output, now: () => Date, active: boolean) {
    this.#output = output;
    this.#now = now;
    this.#active = active;
  }

  start(label: string, total: number | null): Progress {
    const work: Running = { label, total, started: this.#now().getTime(), done: 0 };
    this.#running.push(work);
    return {
      advance: (bytes) => {
        work.done += bytes;
        const time = this.#now().getTime();
        if (this.#active && work === this.#running[0] && time - this.#drawn >= EVERY) {
          this.#drawn = time;
          this.#draw(work, work.total);
        }
      },
      done: () => {
        const at = this.#running.indexOf(work);
        if (at < 0) return;
        this.#running.splice(at, 1);
        if (!this.#active) return;
        this.#draw(work, null);
        this.#output.err('\n');
        this.#visible = false;
      },
    };
  }

  /** Takes the moving line away, so that something else can be said. */
  hide(): void {
    if (!this.#visible) return;
    this.#output.err(`\r${' '.repeat(this.#output.errStyle.width - 1)}\r`);
    this.#visible = false;
  }

  #draw(work: Running, total: number | null): void {
    const seconds = (this.#now().getTime() - work.started) / 1000;
    const line = progressLine({ label: work.label, done: work.done, total, seconds }, this.#output.errStyle);
    this.#output.err(`\r${line}`);
    this.#visible = true;
  }
}
