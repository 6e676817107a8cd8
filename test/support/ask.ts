import { isDeepStrictEqual } from 'node:util';
import { type Lease, McaError, type Storage } from '@mca/core/adapter-kit';
import fc from 'fast-check';

/** The reference, and everything a command needs to know. */
export interface Model {
  readonly storage: Storage;
  readonly leases: Map<string, Lease>;
  /** Items handed over so far, for the balance at the end. */
  handedOver: number;
  counted: number;
  steps: number;
  /** Rejects when any read of the two stores differs. */
  compareReads(model: Storage, real: Storage): Promise<void>;
}

/** The adapter under test. */
export interface Real {
  readonly storage: Storage;
  readonly leases: Map<string, Lease>;
  /** Moves the clock that both stores share. */
  advance(ms: number): void;
}

/** One step of a run. */
export type StoreCommand = fc.AsyncCommand<Model, Real>;

/** Users that steps and reads are about. */
export const USERS: readonly string[] = ['ada', 'bob'];
const ACCOUNTS = ['', 'work'];
const READ_EVERY = 5;

/** One of {@link USERS}. */
export const users: fc.Arbitrary<string> = fc.constantFrom(...USERS);
/** One of a user's two accounts. */
export const accounts: fc.Arbitrary<string> = fc.constantFrom(...ACCOUNTS);

/** Id of the connection of a user's account. */
export function connectionId(userId: string, account: string): string {
  return `${userId} ${account}`;
}

/** What makes the connection of a user's account. */
export function connectionOf(userId: string, account: string) {
  return { id: connectionId(userId, account), userId, provider: 'spotify', kind: 'file' as const, account };
}

/** What both stores are asked, and what is compared: the answer, or code and reason of the refusal. */
export type Question = (storage: Storage, leases: Map<string, Lease>) => Promise<unknown>;

/** A step: both stores are asked the same and have to answer the same. */
export class Ask implements fc.AsyncCommand<Model, Real> {
  readonly #name: string;
  readonly #question: Question;
  readonly #after: (model: Model, real: Real, answer: unknown) => void;

  constructor(name: string, question: Question, after: (model: Model, real: Real, answer: unknown) => void = () => {}) {
    this.#name = name;
    this.#question = question;
    this.#after = after;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const expected = await answerOf(this.#question(model.storage, model.leases));
    const actual = await answerOf(this.#question(real.storage, real.leases));
    if (!isDeepStrictEqual(actual, expected)) throw new Error(difference(this.#name, actual, expected));
    model.steps += 1;
    // All reads after each step would take most of the time and find the same; the last state is read in any case.
    if (model.steps % READ_EVERY === 0) await model.compareReads(model.storage, real.storage);
    this.#after(model, real, expected);
  }

  toString(): string {
    return this.#name;
  }
}

async function answerOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    if (!McaError.isInstance(error)) throw error;
    return { code: error.code, reason: error.reason };
  }
}

/** Says where a store and the reference differ. */
export function difference(name: string, actual: unknown, expected: unknown): string {
  return `${name}\nstore:     ${JSON.stringify(actual)}\nreference: ${JSON.stringify(expected)}`;
}
