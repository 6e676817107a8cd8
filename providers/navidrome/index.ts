/** @module @mca/core/providers/navidrome */

import {
  defineProvider,
  type HistoryCapability,
  type Provider,
  type SessionCheckCapability,
} from '@mca/core/provider-kit';
import { hostLogin } from './auth.ts';
import { errors } from './errors.ts';
import { history } from './history.ts';
import { sessionCheck } from './session-check.ts';

/** What {@link navidrome} can do. */
export interface NavidromeCapabilities {
  readonly history: HistoryCapability;
  readonly sessionCheck: SessionCheckCapability;
}

/**
 * Navidrome, and other servers that speak Subsonic: what was heard, by the best source the server has. Users do not
 * connect it in a flow; the host hands over the credentials it has from its own log-in.
 *
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [navidrome()], ...memory(), ...guardedNetwork({ allow: ['192.168.1.0/24'] }), keys });
 * const fields = { url: 'https://music.example.org', username, password };
 * await addConnection(registry, { userId: 'ana', provider: 'navidrome', credentials: { fields } });
 * await syncHistory(registry, { userId: 'ana', provider: 'navidrome' });
 * ```
 */
export function navidrome(): Provider<'navidrome', NavidromeCapabilities> {
  return defineProvider({
    id: 'navidrome',
    name: 'Navidrome (Subsonic)',
    auth: [hostLogin],
    errors,
    // Somebody's computer at home: not measured, but gentle.
    limits: [{ scope: 'connection', requests: 20, perMs: 1_000, concurrency: 3 }],
    capabilities: { history, sessionCheck },
  });
}
