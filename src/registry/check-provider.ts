import type { AuthStrategy } from '../contracts/auth.ts';
import { CAPABILITY_NAMES } from '../contracts/capabilities/index.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyProvider, RateLimit } from '../contracts/provider.ts';
import { isLoopback } from '../runtime/http/hosts.ts';

const ID_PATTERN = /^[a-z][a-z0-9-]{0,62}$/;
const API_VERSION = 1;

/**
 * Refuses a provider that cannot work, at registration and not in the middle of the night.
 *
 * @throws McaError `configuration` saying which provider and what to change
 */
export function checkProvider(provider: AnyProvider, others: ReadonlyMap<string, AnyProvider>): void {
  const { id } = provider;
  const refuse = (reason: string, message: string, hint: string): never => {
    throw new McaError({ code: 'configuration', reason, provider: String(id), message, hint });
  };
  if (typeof id !== 'string' || !ID_PATTERN.test(id)) {
    refuse(
      'malformed_id',
      `"${String(id)}" is no provider id.`,
      'Lower-case letters, digits and dashes, a letter first, 63 at most. Call factories: netflix().',
    );
  }
  if (others.has(id))
    refuse('duplicate_id', `A provider "${id}" is registered already.`, 'Register each provider once.');
  if (provider.apiVersion !== API_VERSION) {
    refuse(
      'api_version',
      `Provider "${id}" was made for version ${String(provider.apiVersion)} of the contract.`,
      `This core speaks version ${API_VERSION}.`,
    );
  }
  for (const name of Object.keys(provider.capabilities)) {
    if (!(CAPABILITY_NAMES as readonly string[]).includes(name)) {
      refuse(
        'unknown_capability',
        `Provider "${id}" claims a capability "${name}".`,
        `Capabilities are ${CAPABILITY_NAMES.join(', ')}.`,
      );
    }
  }
  for (const limit of provider.limits) {
    if (!isPossible(limit))
      refuse(
        'impossible_limit',
        `Provider "${id}" has a limit nobody can keep.`,
        'All its numbers are whole and above 0.',
      );
  }
  for (const strategy of provider.auth) {
    const missing = missingOAuthSetting(strategy);
    if (missing)
      refuse(
        'invalid_oauth',
        `Provider "${id}" uses OAuth without a valid ${missing}.`,
        'Is its environment variable set? Endpoints are https URLs.',
      );
  }
}

function isPossible({ scope, requests, perMs, concurrency = 1 }: RateLimit): boolean {
  const whole = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
  return (scope === 'app' || scope === 'connection') && whole(requests) && whole(perMs) && whole(concurrency);
}

function missingOAuthSetting(strategy: AuthStrategy): string | undefined {
  if (strategy.type !== 'oauth2' && strategy.type !== 'device-code') return undefined;
  if (typeof strategy.clientId !== 'string' || strategy.clientId.trim() === '') return 'client id';
  if (!isEndpoint(strategy.tokenEndpoint)) return 'token endpoint';
  if (strategy.type === 'oauth2' && !isEndpoint(strategy.authorizationEndpoint)) return 'authorization endpoint';
  if (strategy.type === 'device-code') {
    if (!isEndpoint(strategy.deviceEndpoint)) return 'device endpoint';
    if (strategy.poll && !isEndpoint(strategy.poll.endpoint)) return 'endpoint to poll';
  }
  if (!areHeaders(strategy.tokenHeaders)) return 'set of token headers';
  return undefined;
}

/** HTTP has no room for all texts; and who asks is proved by the core alone. */
function areHeaders(headers: Readonly<Record<string, string>> | undefined): boolean {
  try {
    return !new Headers(headers).has('authorization');
  } catch {
    return false;
  }
}

/** Plain http is for services on the same machine, such as the fakes in tests. */
function isEndpoint(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}
