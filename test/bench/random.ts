// Numbers that look random and are the same on every machine.

export interface Random {
  /** A whole number from 0 to below `below`. */
  below(below: number): number;
  /** From 0 to below 1. */
  unit(): number;
  pick<T>(list: readonly T[]): T;
}

/** Mulberry32: 32 bits of state, good enough for filling files. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(unit() * limit);
  return { unit, below, pick: (list) => list[below(list.length)] as (typeof list)[number] };
}
