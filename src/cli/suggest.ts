// "Did you mean": the nearest known word, when it is near enough to be a slip.

/** Edit distance with swaps of neighbours (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const above = rows[i - 1] as number[];
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, (above[j - 1] as number) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, ((rows[i - 2] as number[])[j - 2] as number) + 1);
      }
      row.push(best);
    }
    rows.push(row);
  }
  return (rows[a.length] as number[])[b.length] as number;
}

/** The known word nearest to `word`: at most one slip in three letters; null when none is near. */
export function suggest(word: string, known: readonly string[]): string | null {
  if (word.length > 40) return null;
  // Who stops typing early means the first that begins so.
  const begun = word.length >= 3 ? known.find((candidate) => candidate.startsWith(word.toLowerCase())) : undefined;
  if (begun !== undefined) return begun;
  let best: string | null = null;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const slips = distance(word.toLowerCase(), candidate);
    if (slips < least) {
      least = slips;
      best = candidate;
    }
  }
  return best;
}
