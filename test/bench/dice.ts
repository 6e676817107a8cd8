const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Everything random that the generators need; the same everywhere for the same seed. */
export interface Dice {
  /** 0 to 1. */
  roll(): number;
  /** 0 to `limit`, without it. */
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
  /** Letters and digits. */
  id(length: number): string;
  /** Made-up words. */
  words(count: number): string;
}

/** Makes dice (xorshift). */
export function makeDice(seed: number): Dice {
  let state = seed >>> 0;
  const roll = () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4_294_967_296;
  };
  const below = (limit: number) => Math.floor(roll() * limit);
  const letters = (length: number, from: number, range: number) =>
    Array.from({ length }, () => BASE62[from + below(range)]).join('');
  return {
    roll,
    below,
    pick: <T>(from: readonly T[]) => from[below(from.length)] as T,
    id: (length) => letters(length, 0, 62),
    words: (count) => Array.from({ length: count }, () => letters(4 + below(6), 36, 26)).join(' '),
  };
}
