/**
 * One promise of a contract, tried out. Plain data, so that any test runner can use it.
 *
 * @example
 * ```ts
 * for (const { id, title, skip, run } of storageConformance(open)) {
 *   test(`${id} ${title}`, { skip }, run);
 * }
 * ```
 */
export interface ConformanceCase {
  /** Id of the promise in the contract's documentation, such as `PAGE-3`. Several cases may share one. */
  readonly id: string;
  readonly title: string;
  /** Why the case does not apply to this adapter. */
  readonly skip?: string | undefined;
  /** Makes its own fresh store, and rejects when the promise is broken. */
  run(): Promise<void>;
}
