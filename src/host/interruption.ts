// What a signal may break off, and what is brought to its end first. A run that has committed nothing ends at once; one in
// the middle of what it committed finishes that, and a second signal ends it with a word on what is left to do.
import { KpmError } from '../errors.ts';

export class Interruption {
  readonly #first: AbortSignal;
  /** What a second signal says, for each piece of work that is not to be broken off; the innermost last. */
  readonly #inside: string[] = [];
  /** What is cleared away before a run ends for a signal, but for a second one. */
  readonly #last = new Set<() => void>();
  #answered = false;
  /** Whether something was done that a run which ends now cannot call untouched. */
  #begun = false;
  #reject: (error: KpmError) => void = () => {};
  /** Rejects when the run has to end for a signal: `aborted` with nothing begun, `interrupted` after something was. */
  readonly ended: Promise<never>;

  /**
   * `first` and `again` are aborted by the first and the second signal, the reason is the signal's name. `say` is told when a
   * signal is heard and not yet obeyed.
   */
  constructor(first: AbortSignal, again: AbortSignal, say: (text: string) => void) {
    this.#first = first;
    this.ended = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // Whoever waits for it hears of it; where nobody does, it is no fault.
    this.ended.catch(() => {});
    const name = (signal: AbortSignal): string => String(signal.reason);
    const onFirst = (): void => {
      if (this.#inside.length === 0) this.#end(this.#begun ? finished(name(first)) : aborted(name(first)));
      else say(`Interrupted (${name(first)}): what was begun is finished first; a second signal ends at once.`);
    };
    // In the middle of what is not to be broken off: what it works with stays, for the moment until the process is gone.
    const onAgain = (): void => this.#reject(brokenOff(name(again), this.#inside.at(-1) ?? null));
    if (first.aborted) onFirst();
    else first.addEventListener('abort', onFirst, { once: true });
    again.addEventListener('abort', onAgain, { once: true });
  }

  #end(error: KpmError): void {
    try {
      for (const clear of this.#last) clear();
    } finally {
      this.#reject(error);
    }
  }

  /** Does work of which a run that ends for a signal clears something away first, unless a second one broke it off; `clear` must not raise. */
  async clearing<T>(clear: () => void, work: () => Promise<T>): Promise<T> {
    this.#last.add(clear);
    try {
      return await work();
    } finally {
      this.#last.delete(clear);
    }
  }

  /** The signal that asked for an end; null: none did. Whoever asks ends the work in order by itself. */
  asked(): string | null {
    if (!this.#first.aborted) return null;
    this.#answered = true;
    return String(this.#first.reason);
  }

  /**
   * Does what must not be broken off; a signal is obeyed afterwards. `needed` says what is left to do should a second one end
   * it in the middle. Raises `aborted` where a signal came before.
   */
  async whole<T>(needed: string, work: () => Promise<T>): Promise<T> {
    const outermost = this.#inside.length === 0;
    if (outermost && this.#first.aborted && !this.#answered) throw aborted(String(this.#first.reason));
    this.#begun = true;
    this.#inside.push(needed);
    try {
      return await work();
    } finally {
      this.#inside.pop();
      if (outermost && this.#first.aborted && !this.#answered) this.#end(finished(String(this.#first.reason)));
    }
  }
}

/** The same for work that may be done without anybody who could interrupt it. */
export function whole<T>(
  { interruption }: { readonly interruption?: Pick<Interruption, 'whole'> },
  needed: string,
  work: () => Promise<T>,
): Promise<T> {
  return interruption ? interruption.whole(needed, work) : work();
}

/** As Interruption.clearing, where anybody could interrupt it. */
export function clearing<T>(
  { interruption }: { readonly interruption?: Pick<Interruption, 'clearing'> },
  clear: () => void,
  work: () => Promise<T>,
): Promise<T> {
  return interruption ? interruption.clearing(clear, work) : work();
}

const aborted = (signal: string): KpmError =>
  new KpmError('aborted', {
    text: `Interrupted (${signal}).`,
    hint: 'Nothing is left half done: the next run finishes or undoes what was begun.',
  });

const finished = (signal: string): KpmError =>
  new KpmError('interrupted', {
    text: `Interrupted (${signal}); what had been begun was finished first.`,
    hint: 'Run the same command again for the rest.',
  });

const brokenOff = (signal: string, needed: string | null): KpmError =>
  new KpmError('interrupted', {
    text: `Interrupted again (${signal}), so the run ended where it was.`,
    hint: needed ?? 'Run the same command again for the rest.',
  });
