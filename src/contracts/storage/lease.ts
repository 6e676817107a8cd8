/**
 * The right to write for one resource, for a while. Resources are named `import:<id>`, `sync:<connectionId>:<capability>`,
 * `refresh:<connectionId>` or `jobs:plan:<providers>`.
 */
export interface Lease {
  readonly resource: string;
  /** Random per acquisition. */
  readonly owner: string;
  /** Grows with each acquisition of the resource; a commit under an older fence fails. */
  readonly fence: number;
  /** Epoch milliseconds by the storage's clock. */
  readonly expiresAt: number;
}

/**
 * Leases with fencing.
 *
 * - `LEASE-1` while a lease is valid nobody else acquires its resource
 * - `LEASE-2` an expired lease can be taken over, with a higher fence
 * - `LEASE-3` renewing succeeds only for the current owner and fence
 * - `LEASE-4` releasing somebody else's lease changes nothing
 * - `LEASE-5` a released resource is free at once, and its fence still grows
 */
export interface LeaseVerbs {
  /** Takes the resource for `ttlMs`, or answers `undefined` while another owner holds it. */
  acquireLease(request: {
    readonly resource: string;
    readonly owner: string;
    readonly ttlMs: number;
  }): Promise<Lease | undefined>;
  /** Extends a lease that is still ours, or answers `undefined` when it was lost. */
  renewLease(lease: Lease, ttlMs: number): Promise<Lease | undefined>;
  /** Gives the resource back at once. */
  releaseLease(lease: Lease): Promise<void>;
}
