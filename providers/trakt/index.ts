/** @module @mca/core/providers/trakt */

import {
  defineProvider,
  type HistoryCapability,
  type Provider,
  type RatingsCapability,
  type SessionCheckCapability,
} from '@mca/core/provider-kit';
import { authorizationCode, deviceCode } from './auth.ts';
import { errors } from './errors.ts';
import { history } from './history.ts';
import { ratings } from './ratings.ts';
import { sessionCheck } from './session-check.ts';

/** What the factory takes: your app, from <https://app.trakt.tv/settings/apps/api>. */
export interface TraktOptions {
  readonly clientId: string;
  /** Of apps that have one; PKCE takes its place when users agree on Trakt's page. @default none */
  readonly clientSecret?: string | undefined;
  /** Redirect address of your app: Trakt's documentation wants it with every refresh. @default none is sent */
  readonly redirectUri?: string | undefined;
  /** How your app calls itself, `MyApp/1.0.0`; Trakt asks for it. @default 'mca-core/1.0.0' */
  readonly userAgent?: string | undefined;
  readonly skip?:
    | {
        /** Plays that the user marked with "unknown date". Kept, they stand on 1 January 1970. @default false */
        readonly undated?: boolean | undefined;
      }
    | undefined;
  /** API root. @default 'https://api.trakt.tv' */
  readonly baseUrl?: string | undefined;
  /** Root of the service where users agree and tokens come from. @default 'https://auth.trakt.tv' */
  readonly authUrl?: string | undefined;
}

/** What {@link trakt} can do. */
export interface TraktCapabilities {
  readonly history: HistoryCapability;
  readonly ratings: RatingsCapability;
  readonly sessionCheck: SessionCheckCapability;
}

/**
 * Trakt: films and episodes the user watched, and what the user rated.
 *
 * @example
 * ```ts
 * const provider = trakt({ clientId, redirectUri, userAgent: 'MyApp/1.0.0' });
 * const registry = createRegistry({ providers: [provider], ...memory(), keys });
 * const step = await beginConnect(registry, { userId: 'ana', provider: 'trakt', redirectUri, sessionBinding });
 * await syncHistory(registry, { userId: 'ana', provider: 'trakt' });
 * await syncRatings(registry, { userId: 'ana', provider: 'trakt' });
 * ```
 */
export function trakt(options: TraktOptions): Provider<'trakt', TraktCapabilities> {
  const { clientId, clientSecret, redirectUri } = options;
  const { userAgent = 'mca-core/1.0.0', authUrl = 'https://auth.trakt.tv' } = options;
  const app = { clientId, clientSecret, redirectUri, userAgent, authUrl };
  return defineProvider({
    id: 'trakt',
    name: 'Trakt',
    baseUrl: options.baseUrl ?? 'https://api.trakt.tv',
    auth: [authorizationCode(app), deviceCode(app)],
    errors,
    // AUTHED_API_GET_LIMIT: reads, counted per token of a user.
    limits: [{ scope: 'connection', requests: 500, perMs: 5 * 60_000 }],
    policy: {
      noServiceToService: true,
      source: 'https://github.com/trakt/trakt-api/blob/HEAD/projects/developer/src/lib/guides/api-use-policy.md',
    },
    capabilities: { history: history({ skipUndated: options.skip?.undated ?? false }), ratings, sessionCheck },
  });
}
