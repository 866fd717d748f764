// rpm takes its time to tell a database: what does not need its answer is done meanwhile.

/** Raised by `now` while there is no answer; nobody but `early` sees it. */
const NOT_YET = Symbol('no answer yet');

export interface Meanwhile<T> {
  /** The answer, for whoever runs inside of `early`, or after `late`. */
  now(): T;
  /** Does it at once; where that needs the answer, from the beginning once more when that is there. */
  early<R>(act: () => R): Promise<R>;
  /** Does what takes long while the answer is on its way; ends when both are done. */
  beside<R>(act: () => Promise<R>): Promise<R>;
  /** Waits for the answer. */
  late(): Promise<T>;
}

/** `asked`: an answer, or one that is on its way. Whatever fails meanwhile, its end is waited for: nothing is left behind. */
export function meanwhile<T>(asked: T | Promise<T>): Meanwhile<T> {
  let found: { readonly answer: T } | null = asked instanceof Promise ? null : { answer: asked };
  const settled = Promise.resolve(asked).then(
    (answer) => {
      found = { answer };
    },
    () => {
      // Raised by `late`.
    },
  );
  const late = async (): Promise<T> => asked;
  const now = (): T => {
    if (found === null) throw NOT_YET;
    return found.answer;
  };
  return {
    now,
    late,
    async early(act) {
      try {
        return act();
      } catch (error) {
        await settled;
        if (error !== NOT_YET) throw error;
        await late();
        return act();
      }
    },
    async beside(act) {
      try {
        return await act();
      } finally {
        await settled;
      }
    },
  };
}
