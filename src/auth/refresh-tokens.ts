import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { cancelledBy, sleep, throwIfAborted } from '../runtime/sleep.ts';
import type { OAuthTokens } from './credentials.ts';
import { atConnection, needsReauth, requireReauth } from './reauth.ts';
import { inRefreshTurn } from './refresh-lease.ts';
import { coolDownLeftMs, isDue, isExpired, nextFailure } from './refresh-policy.ts';
import type { Secret } from './secret.ts';
import { serviceNow } from './service-time.ts';
import { type Grant, type OAuthStrategy, TokenEndpoint } from './token-endpoint.ts';
import { TokenFailure } from './token-failure.ts';
import { KeptCredentials, type Opened, type Vault, vaultOf } from './vault.ts';

/** After the registry closes, an answer that is under way may still come for so long: losing it loses the account. */
const GRACE_MS = 5_000;

type Tokens = Opened<OAuthTokens>;
/** `look_again`: what is stored decides what follows. */
type FlightOutcome = 'refreshed' | 'look_again';

/**
 * Keeps one connection's tokens fresh: one refresh at a time in this process, by a map of flights, and among all that
 * share the storage, by a lease. New tokens are stored before anybody gets them.
 */
export class TokenKeeper {
  readonly #registry: AnyRegistry;
  readonly #connection: Connection;
  readonly #provider: AnyProvider;
  readonly #strategy: OAuthStrategy;
  readonly #vault: Vault;
  readonly #kept: KeptCredentials;

  constructor(
    registry: AnyRegistry,
    connection: Connection,
    provider: AnyProvider,
    strategy: OAuthStrategy,
    kept: KeptCredentials = new KeptCredentials(registry, connection),
  ) {
    this.#registry = registry;
    this.#connection = connection;
    this.#provider = provider;
    this.#strategy = strategy;
    this.#vault = vaultOf(registry);
    this.#kept = kept;
  }

  /**
   * Tokens that are good now, refreshed first when they are about to end, or when they are the ones the service just
   * `refused`.
   *
   * @throws McaError `auth_expired` when only the user can help; `upstream`, `rate_limit` or `configuration` when there
   *   are no good tokens right now
   */
  async fresh(signal: AbortSignal, refused?: Secret): Promise<Tokens> {
    for (;;) {
      throwIfAborted(signal);
      throwIfAborted(this.#registry.access.closing);
      const stored = (refused === undefined && this.#recent()) || (await this.#read());
      if (!this.#needsRefresh(stored, refused)) return stored;
      // What was refreshed is good, whatever its lifetime: a service that always sends the same token is not asked again.
      if ((await unlessAborted(this.#flight(refused), signal)) === 'refreshed') return this.#read();
    }
  }

  /** What was read a moment ago, unless it is about to end: somebody else may have replaced it by now. */
  #recent(): Tokens | undefined {
    const opened = this.#kept.recent;
    if (opened?.credentials.kind !== 'oauth' || isDue(opened.credentials, this.#now())) return undefined;
    return { credentials: opened.credentials, version: opened.version };
  }

  async #read(): Promise<Tokens> {
    const stored = await this.#kept.read();
    if (stored?.credentials.kind !== 'oauth') throw needsReauth(this.#connection, 'not_connected');
    return { credentials: stored.credentials, version: stored.version };
  }

  /** Whether something has to be done first. Throws when nothing can be done and what is stored does not serve. */
  #needsRefresh({ credentials }: Tokens, refused: Secret | undefined): boolean {
    const now = this.#now();
    const isRefused = refused?.is(credentials.accessToken.reveal()) === true;
    if (!isRefused && !isDue(credentials, now)) return false;
    const { failure, refreshToken } = credentials;
    const serves = !isRefused && !isExpired(credentials, now);
    const leftMs = coolDownLeftMs(failure, this.#registry.env.clock.now());
    if (failure?.final === undefined && refreshToken && leftMs === 0) return true;
    if (serves) return false;
    // Final, and nothing to refresh with: the flight says so once and for all.
    if (failure?.final !== undefined || !refreshToken) return true;
    throw new McaError({
      code: failure?.code ?? 'upstream',
      reason: failure?.reason,
      provider: this.#connection.provider,
      message: 'The access token has ended, and the service gave no new one.',
      hint: 'Tokens are kept; it is tried again after the pause.',
      retryAfterMs: leftMs,
    });
  }

  /** The refresh under way in this process, or a new one. It outlives whoever asked first. */
  #flight(refused: Secret | undefined): Promise<FlightOutcome> {
    const { access } = this.#registry;
    const flights = access.slot('refresh-flights', () => new Map<string, Promise<FlightOutcome>>());
    const known = flights.get(this.#connection.id);
    if (known) return known;
    const flight = this.#refresh(refused).finally(() => flights.delete(this.#connection.id));
    flights.set(this.#connection.id, flight);
    return access.track(flight);
  }

  async #refresh(refused: Secret | undefined): Promise<FlightOutcome> {
    const isDone = async (): Promise<boolean> => !this.#needsRefresh(await this.#read(), refused);
    const outcome = await inRefreshTurn<FlightOutcome>(
      this.#registry,
      this.#connection.id,
      isDone,
      async (turn) => {
        // Read again: whoever had the lease before may have done it all.
        const stored = await this.#read();
        if (!this.#needsRefresh(stored, refused)) return 'look_again';
        const { failure, refreshToken } = stored.credentials;
        if (failure?.final !== undefined) return this.#giveUp(failure.final);
        if (!refreshToken) return this.#giveUp(isExpired(stored.credentials, this.#now()) ? 'expired' : 'rejected');
        // The last look before what cannot be taken back. Whoever lost the lease meanwhile begins again.
        return (await turn.isOurs()) ? this.#exchange(stored, refreshToken) : 'look_again';
      },
      this.#registry.access.closing,
    );
    return outcome ?? 'look_again';
  }

  async #exchange(stored: Tokens, refreshToken: Secret): Promise<FlightOutcome> {
    const { env, access } = this.#registry;
    const grace = graceAfter(access.closing, env.timers);
    try {
      const endpoint = new TokenEndpoint(this.#registry, this.#provider, this.#strategy, grace.signal);
      const grant = await endpoint.refresh(refreshToken);
      // Stored before anybody gets them. Lost to a newer consent of the user's, they are nobody's.
      if (!(await this.#store(stored, refreshToken, renewed(stored.credentials, grant)))) return 'look_again';
      await this.#noteScopes(grant);
      this.#registry.emit({ type: 'token_refreshed', ...atConnection(this.#connection) });
      return 'refreshed';
    } catch (error) {
      if (!(error instanceof TokenFailure)) throw error;
      if (error.error.code === 'cancelled') throw error.error;
      await this.#fail(stored, refreshToken, error);
      return 'look_again';
    } finally {
      grace.end();
    }
  }

  async #fail(stored: Tokens, refreshToken: Secret, { kind, ambiguous, error }: TokenFailure): Promise<void> {
    const { env } = this.#registry;
    const { credentials } = stored;
    if (kind === 'refused' || kind === 'denied') {
      const final = this.#whyRefused(credentials);
      const { refreshToken: _dead, ...rest } = credentials;
      const failure = nextFailure(
        credentials.failure,
        { ...failureOf(error), reason: final },
        env.clock.now(),
        env.random,
      );
      const isStored = await this.#store(stored, refreshToken, { ...rest, failure: { ...failure, final } });
      // Somebody stored other tokens meanwhile: the refusal is of those that are gone.
      if (isStored) await this.#giveUp(final);
      return;
    }
    const added = { ...failureOf(error), ambiguous, countsDays: kind !== 'client' };
    const failure = nextFailure(credentials.failure, added, env.clock.now(), env.random);
    if (!(await this.#store(stored, refreshToken, { ...credentials, failure }))) return;
    if (failure.final !== undefined) await this.#giveUp(failure.final);
    const { code, reason, retryAt } = failure;
    this.#registry.emit({ type: 'refresh_failed', ...atConnection(this.#connection), code, reason, retryAt });
  }

  #whyRefused({ authorizationExpiresAt, failure }: OAuthTokens): string {
    if (authorizationExpiresAt !== undefined && this.#now() >= authorizationExpiresAt) return 'expired';
    return failure?.ambiguous ? 'ambiguous' : 'revoked';
  }

  /**
   * Stores what came of a refresh token, unless newer tokens are there: a loser never overwrites. Losing to somebody who
   * only sealed the same tokens again is no loss.
   */
  async #store(stored: Tokens, used: Secret, credentials: OAuthTokens): Promise<boolean> {
    for (let version = stored.version; ; ) {
      const expected = version;
      const written = await this.#persist(() => this.#vault.write(this.#connection, credentials, expected));
      if (written !== undefined) return true;
      const current = await this.#persist(() => this.#vault.read(this.#connection));
      if (current?.credentials.kind !== 'oauth') return false;
      const { refreshToken, authorizedAt } = current.credentials;
      const isSame = refreshToken?.is(used.reveal()) && authorizedAt === stored.credentials.authorizedAt;
      if (!isSame) return false;
      version = current.version;
    }
  }

  /** The old token may be worth nothing any more: a store that is busy for a moment must not cost the account. */
  async #persist<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let pauseMs = FIRST_STORE_PAUSE_MS; ; pauseMs *= 2) {
      try {
        return await work();
      } catch (error) {
        if (pauseMs > LAST_STORE_PAUSE_MS) throw asStorageError(error, this.#connection.provider);
        this.#registry.env.logger.warn('New tokens could not be stored yet.', { provider: this.#connection.provider });
        await sleep(this.#registry.env.timers, pauseMs, new AbortController().signal);
      }
    }
  }

  /** Services may grant less than before. */
  async #noteScopes({ scopes }: Grant): Promise<void> {
    const known = this.#connection.grantedScopes;
    if (!scopes || (scopes.length === known.length && scopes.every((scope) => known.includes(scope)))) return;
    await this.#registry.storage.updateConnection(this.#connection.id, { grantedScopes: scopes });
  }

  async #giveUp(reason: string): Promise<never> {
    await requireReauth(this.#registry, this.#connection, reason);
    throw needsReauth(this.#connection, reason);
  }

  #now(): number {
    return serviceNow(this.#registry, this.#provider, this.#strategy.tokenEndpoint);
  }
}

/** Tokens after a refresh: what the service did not send again stays as it was. */
function renewed(before: OAuthTokens, grant: Grant): OAuthTokens {
  const { failure: _past, expiresAt: _ended, lifetimeMs: _life, ...rest } = before;
  return {
    ...rest,
    accessToken: grant.accessToken,
    ...(grant.refreshToken && { refreshToken: grant.refreshToken }),
    ...(grant.expiresAt !== undefined && { expiresAt: grant.expiresAt, lifetimeMs: grant.lifetimeMs }),
    scopes: grant.scopes ?? before.scopes,
  };
}

function failureOf({ code, reason = 'unknown', retryAfterMs }: McaError): {
  readonly code: McaError['code'];
  readonly reason: string;
  readonly ambiguous: boolean;
  readonly countsDays: boolean;
  readonly retryAfterMs: number | undefined;
} {
  return { code, reason, ambiguous: false, countsDays: false, retryAfterMs };
}

/** Waits for work that goes on whether or not this caller still cares. */
async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(cancelledBy(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** A signal that fires a while after another one did. */
function graceAfter(
  closing: AbortSignal,
  timers: AnyRegistry['env']['timers'],
): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  let stopTimer = (): void => {};
  const onClosing = (): void => {
    stopTimer = timers.after(GRACE_MS, () => controller.abort(closing.reason));
  };
  closing.addEventListener('abort', onClosing, { once: true });
  return {
    signal: controller.signal,
    end() {
      closing.removeEventListener('abort', onClosing);
      stopTimer();
    },
  };
}

/** Pauses between two tries to store new tokens: 200 ms doubling to 6.4 s, 12.6 s in all. */
const FIRST_STORE_PAUSE_MS = 200;
const LAST_STORE_PAUSE_MS = 6_400;

function asStorageError(error: unknown, provider: string): McaError {
  if (McaError.isInstance(error)) return error;
  return new McaError({
    code: 'storage',
    reason: 'credentials_not_stored',
    provider,
    message: 'The credential store failed again and again while new tokens were to be stored.',
    cause: error,
  });
}
