const FULL = 500;
const COST = 5;

/**
 * Bounds repeats when much fails: each costs 5 of 500, each success at the first try brings 1 back. Kept per owner, so
 * that one broken account cannot use up the repeats of all others.
 */
export class RetryQuota {
  /** Only owners who have less than all of it. */
  readonly #left = new Map<string, number>();

  /** Whether the owner may repeat once more; pays for it. */
  spend(owner: string): boolean {
    const left = this.#left.get(owner) ?? FULL;
    if (left < COST) return false;
    this.#left.set(owner, left - COST);
    return true;
  }

  /** A request of the owner succeeded at the first try. */
  earn(owner: string): void {
    const left = this.#left.get(owner);
    if (left === undefined) return;
    if (left + 1 >= FULL) this.#left.delete(owner);
    else this.#left.set(owner, left + 1);
  }

  clear(): void {
    this.#left.clear();
  }
}
