import type { SigningCredentials, SignRequest } from '../contracts/auth.ts';
import type { ProviderContext } from '../contracts/capabilities/index.ts';
import type { Fetch } from '../contracts/env.ts';
import type { McaEvent } from '../contracts/events.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import { makeEnv } from '../runtime/env.ts';
import { createHttpClient } from '../runtime/http/client.ts';
import { HttpState } from '../runtime/http/state.ts';
import { openFieldsOf } from '../runtime/open-fields.ts';
import { fakeClock } from './fake-clock.ts';

/** What a {@link providerContext} is made of. */
export interface ProviderContextOptions {
  readonly provider: AnyProvider;
  /** The service, or a fake of it. */
  readonly fetch: Fetch;
  /** The machine's clock, epoch milliseconds. Waits pass in no time. */
  readonly now: number;
  /** @default nothing is signed */
  readonly sign?: SignRequest | undefined;
  readonly credentials?: Partial<SigningCredentials> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hears what the HTTP client tells. */
  readonly onEvent?: ((event: McaEvent) => void) | undefined;
}

/**
 * The context an engine would give a capability, with the real HTTP client in front of `fetch`, and no store: for trying
 * one capability alone. Retries and rate limits work as ever, but their waits take no time.
 *
 * @example
 * ```ts
 * const context = providerContext({ provider, fetch: fakeOfMyService, now: Date.UTC(2026, 0, 1) });
 * const page = await provider.capabilities.history.fetchPage(context, { cursor: undefined, limit: 50, … });
 * ```
 */
export function providerContext(options: ProviderContextOptions): ProviderContext {
  const { provider, fetch, now, sign, credentials = {} } = options;
  const time = fakeClock(now);
  const signal = options.signal ?? new AbortController().signal;
  const env = makeEnv({ clock: time.clock, timers: time.timers, fetch });
  const account = credentials.account ?? 'ada';
  const held = { ...credentials, account, fields: credentials.fields ?? {}, version: 1 };
  const urlField = provider.auth
    .flatMap((each) => ('fields' in each ? each.fields : []))
    .find(({ kind }) => kind === 'url');
  const baseUrl = (urlField && held.fields[urlField.name]) ?? provider.baseUrl;
  const http = createHttpClient({
    env,
    provider,
    connection: { id: 'connection-1', userId: 'user-1' },
    baseUrl: baseUrl ?? '',
    guardedFetch: undefined,
    authoriser: sign && { current: async () => held, renew: async () => held, sign },
    state: new HttpState({ env }),
    emit: options.onEvent ?? (() => {}),
    signal,
  });
  return {
    http: { request: (request) => time.until(http.request(request)) },
    account: { id: account, baseUrl, fields: openFieldsOf(provider.auth, held.fields) },
    signal,
    now: () => time.clock.now(),
  };
}
