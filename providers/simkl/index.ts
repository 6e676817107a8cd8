/** @module @mca/core/providers/simkl */

import {
  defineProvider,
  type HistoryCapability,
  type Provider,
  type RatingsCapability,
  type SessionCheckCapability,
} from '@mca/core/provider-kit';
import { authorizationCode, pin } from './auth.ts';
import { errors } from './errors.ts';
import { history } from './history.ts';
import { ratings } from './ratings.ts';
import { sessionCheck } from './session-check.ts';

/** What the factory takes: your app, from <https://simkl.com/settings/developer/>. */
export interface SimklOptions {
  /** Not for public repositories: Simkl asks to keep it out of them. */
  readonly clientId: string;
  /** How your app calls itself, sent with every request in lower case. @default 'mca-core' */
  readonly appName?: string | undefined;
  /** @default '1.0.0' */
  readonly appVersion?: string | undefined;
  /** API root, also of tokens and PINs. @default 'https://api.simkl.com' */
  readonly baseUrl?: string | undefined;
  /** Root of the website where users agree. @default 'https://simkl.com' */
  readonly siteUrl?: string | undefined;
}

/** What {@link simkl} can do. */
export interface SimklCapabilities {
  readonly history: HistoryCapability;
  readonly ratings: RatingsCapability;
  readonly sessionCheck: SessionCheckCapability;
}

/**
 * Simkl: films, episodes and anime the user watched, and what the user rated.
 *
 * @example
 * ```ts
 * const provider = simkl({ clientId, appName: 'my-app', appVersion: '1.0.0' });
 * const registry = createRegistry({ providers: [provider], ...memory(), keys });
 * const step = await beginConnect(registry, { userId: 'ana', provider: 'simkl', redirectUri, sessionBinding });
 * await syncHistory(registry, { userId: 'ana', provider: 'simkl' });
 * await syncRatings(registry, { userId: 'ana', provider: 'simkl' });
 * ```
 */
export function simkl(options: SimklOptions): Provider<'simkl', SimklCapabilities> {
  const { clientId, appVersion = '1.0.0', baseUrl = 'https://api.simkl.com', siteUrl = 'https://simkl.com' } = options;
  const appName = (options.appName ?? 'mca-core').toLowerCase();
  const app = { clientId, appName, appVersion, baseUrl, siteUrl };
  return defineProvider({
    id: 'simkl',
    name: 'Simkl',
    baseUrl,
    auth: [authorizationCode(app), pin(app)],
    errors,
    // Reads, counted per access token. Writes would be one a second.
    limits: [{ scope: 'connection', requests: 10, perMs: 1_000 }],
    policy: { attribution: 'Simkl, with a link to https://simkl.com', source: 'https://api.simkl.org' },
    capabilities: { history, ratings, sessionCheck },
  });
}
