import { Refusal } from './security.ts';

const WINDOW_MS = 60_000;

/** How many turns there are in a minute. */
export interface TurnsOptions {
  /** @default 10 */
  readonly perUser?: number | undefined;
  /** Sessions cost nothing, so there is a limit for everybody together, too. @default 120 */
  readonly forAll?: number | undefined;
  /** Those who bring no cookie, together: that costs least of all, so it must not take the turns of others. @default 30 */
  readonly forNew?: number | undefined;
  readonly now?: (() => number) | undefined;
}

interface Turn {
  readonly userId: string;
  readonly isNew: boolean;
  readonly at: number;
}

/** Turns at what costs a service or the database something: beginning to connect, and trying a password. */
export class Turns {
  readonly #perUser: number;
  readonly #forAll: number;
  readonly #forNew: number;
  readonly #now: () => number;
  /** Those of the last minute. What is refused is not kept, so there are never more than `forAll`. */
  #taken: readonly Turn[] = [];

  constructor({ perUser = 10, forAll = 120, forNew = 30, now = Date.now }: TurnsOptions = {}) {
    this.#perUser = perUser;
    this.#forAll = forAll;
    this.#forNew = forNew;
    this.#now = now;
  }

  /**
   * Takes a turn. What it answers gives it back, for when nothing was begun after all.
   *
   * @throws Refusal 429 when the user, or everybody together, has had too many
   */
  take(userId: string, isNew = false): () => void {
    const at = this.#now();
    this.#taken = this.#taken.filter((turn) => turn.at > at - WINDOW_MS);
    const own = this.#taken.filter((turn) => turn.userId === userId).length;
    const ofNew = this.#taken.filter((turn) => turn.isNew).length;
    if (own >= this.#perUser || this.#taken.length >= this.#forAll || (isNew && ofNew >= this.#forNew)) {
      throw new Refusal(429, 'Too many at once', 'Services may only be asked so often. Try again in a minute.');
    }
    const mine: Turn = { userId, isNew, at };
    this.#taken = [...this.#taken, mine];
    return () => {
      this.#taken = this.#taken.filter((turn) => turn !== mine);
    };
  }
}
