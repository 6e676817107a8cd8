import type { Env } from '@mca/core/adapter-kit';
import type { RedisClient } from './client.ts';
import { PROBE, type Script } from './scripts.ts';

/** Redis did not do what it was asked; whoever asked goes on alone. */
export class RedisAway extends Error {
  override readonly name = 'RedisAway';
}

/** The way to Redis: knows whether it is there, and never waits for longer than it was told. */
export class RedisLink {
  readonly #client: RedisClient;
  readonly #env: Env;
  readonly #timeoutMs: number;
  #isAway = false;
  /** The logger believes that it is away. */
  #isToldAway = false;
  #awaySince = 0;
  #returns = 0;
  #probedAt: number = Number.NEGATIVE_INFINITY;
  #isProbing = false;
  readonly #sleepers = new Set<() => void>();

  constructor(client: RedisClient, env: Env, timeoutMs: number) {
    this.#client = client;
    this.#env = env;
    this.#timeoutMs = timeoutMs;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** How often it came back. What was agreed with Redis before is to be told again after each. */
  get returns(): number {
    return this.#returns;
  }

  /** Monotonic milliseconds. */
  now(): number {
    return this.#env.clock.monotonic?.() ?? this.#env.clock.now();
  }

  /** @throws RedisAway when it fails, takes too long, or answers what the script cannot have said */
  async run<Answer>(
    script: Script<Answer>,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<Answer> {
    if (this.#isAway) throw new RedisAway('Redis is away');
    return await this.#inTime(() => this.#evaluate(script, keys, args));
  }

  /** @throws RedisAway when there is no sign of life in time */
  async check(): Promise<void> {
    if (this.#isAway) throw new RedisAway('Redis is away');
    await this.#inTime(() => this.#client.ping());
  }

  /**
   * Looks whether it is back and does what is needed of it, if that was not done just now: an answer to PING alone comes
   * from a replica and from a full Redis, too. The keys are those of {@link PROBE}, of whoever asks. Called by whoever works without it, not by a timer, which
   * would keep the process alive. One question at a time: a client that keeps what it cannot send would pile them up.
   */
  probe(keys: readonly string[]): void {
    if (!this.#isAway || this.#isProbing || this.now() - this.#probedAt < this.#timeoutMs) return;
    this.#probedAt = this.now();
    this.#isProbing = true;
    const done = (isBack: boolean): void => {
      this.#isProbing = false;
      if (isBack) this.#comeBack();
    };
    this.#evaluate(PROBE, keys, []).then(
      () => done(true),
      () => done(false),
    );
  }

  /** How long to wait at most before probing again makes sense. */
  get probeEveryMs(): number {
    return this.#timeoutMs;
  }

  /** Wakes whoever sleeps while it is away, as soon as it is back. The answer takes it back. */
  onReturn(wake: () => void): () => void {
    this.#sleepers.add(wake);
    return () => this.#sleepers.delete(wake);
  }

  /** Something else found out that it is away. */
  goAway(error: unknown): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#probedAt = this.now();
    // It had not been back for anybody, so nothing has changed.
    if (this.#isToldAway) return;
    this.#isToldAway = true;
    this.#awaySince = this.now();
    const message = error instanceof Error ? error.message : String(error);
    // What Redis itself refuses (password, rights) somebody has to mend.
    const level = error instanceof Error && error.name === 'ReplyError' ? 'error' : 'warn';
    this.#log(level, 'Redis is away: rate limits are kept by each machine for itself', { message });
  }

  /** Somebody shares a limit through it again: only now it is back, and not when it said that it would be. */
  confirm(): void {
    if (this.#isAway || !this.#isToldAway) return;
    this.#isToldAway = false;
    const awayMs = Math.round(this.now() - this.#awaySince);
    this.#log('info', 'Redis is back: rate limits are shared again', { awayMs });
  }

  #comeBack(): void {
    this.#isAway = false;
    this.#returns += 1;
    for (const wake of [...this.#sleepers]) wake();
  }

  /** What waits for Redis would wait for ever if a logger of the host stood in its way. */
  #log(level: 'info' | 'warn' | 'error', message: string, details: Readonly<Record<string, string | number>>): void {
    try {
      this.#env.logger[level](message, details);
    } catch {
      // Nobody is left to be told.
    }
  }

  async #evaluate<Answer>(
    { sha, code, read }: Script<Answer>,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<Answer> {
    const given = [...keys, ...args.map(String)];
    let answer: unknown;
    try {
      answer = await this.#client.evalsha(sha, keys.length, ...given);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      answer = await this.#client.eval(code, keys.length, ...given);
    }
    const understood = read(answer);
    if (understood === undefined) throw new Error('an answer that no script of ours gives');
    return understood;
  }

  #inTime<Answer>(command: () => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        takeBack();
        this.goAway(error);
        reject(new RedisAway('Redis is away', { cause: error }));
      };
      const takeBack = this.#env.timers.after(this.#timeoutMs, () =>
        fail(new Error(`no answer within ${this.#timeoutMs} ms`)),
      );
      this.#ask(command).then((answer) => {
        takeBack();
        resolve(answer);
      }, fail);
    });
  }

  /** A client that throws instead of rejecting has failed all the same. */
  async #ask<Answer>(command: () => Promise<Answer>): Promise<Answer> {
    return await command();
  }
}
