import { Refusal } from './security.ts';

const WINDOW_MS = 60_000;

/** How many turns there are in a minute. */
export interface TurnsOptions {
  /** @default 10 */
  readonly perUser?: number | undefined;
  /** Sessions cost nothing, so there is a limit for everybody together, too. @default 120 */
  readonly forAll?: number | undefined;
  readonly now?: (() => number) | undefined;
}

/** Turns at what costs a service or the database something: beginning to connect, and trying a password. */
export class Turns {
  readonly #perUser: number;
  readonly #forAll: number;
  readonly #now: () => number;
  /** Those of the last minute. What is refused is not kept, so there are never more than `forAll`. */
  #taken: readonly { readonly userId: string; readonly at: number }[] = [];

  constructor({ perUser = 10, forAll = 120, now = Date.now }: TurnsOptions = {}) {
    this.#perUser = perUser;
    this.#forAll = forAll;
    this.#now = now;
  }

  /** @throws Refusal 429 when the user, or everybody together, has had too many */
  take(userId: string): void {
    const at = this.#now();
    this.#taken = this.#taken.filter((turn) => turn.at > at - WINDOW_MS);
    const own = this.#taken.filter((turn) => turn.userId === userId).length;
    if (own >= this.#perUser || this.#taken.length >= this.#forAll) {
      throw new Refusal(429, 'Too many at once', 'Services may only be asked so often. Try again in a minute.');
    }
    this.#taken = [...this.#taken, { userId, at }];
  }
}
