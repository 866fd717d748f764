// Work of which only one piece may be done at a time: questions to a person, files that are synced together.

/** A queue: each piece of work begins when those asked for before it have ended, well or not, and what it gives or raises is its own affair. */
export function inTurn(): <T>(work: () => Promise<T>) => Promise<T> {
  let before: Promise<void> = Promise.resolve();
  return (work) => {
    const turn = before.then(work);
    // What it gave is not held until the next one comes.
    before = turn.then(nothing, nothing);
    return turn;
  };
}

const nothing = (): void => undefined;
