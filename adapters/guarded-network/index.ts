/** @module @mca/core/adapters/guarded-network */

import { McaError } from '@mca/core/adapter-kit';
import type { Agent, RequestInit as UndiciInit } from 'undici';
import { addressPolicy } from './addresses.ts';
import { guardedConnector } from './connector.ts';
import { type ResolveName, resolveBySystem } from './resolve-name.ts';

export type { ResolveName } from './resolve-name.ts';

/** Options of {@link guardedNetwork}. */
export interface GuardedNetworkOptions {
  /**
   * Networks (`192.168.1.0/24`), addresses and host names of your own network that may be reached. Set by the operator,
   * never from what a user typed. Link-local, metadata, unspecified, multicast and broadcast addresses stay refused.
   *
   * @default none: public addresses only
   */
  readonly allow?: readonly string[] | undefined;
  /** Resolves names. @default the system's resolver */
  readonly resolve?: ResolveName | undefined;
}

/** What {@link guardedNetwork} gives: hand it to `createRegistry`. */
export interface GuardedNetwork {
  /** For `createRegistry({ guardedFetch })`. */
  readonly guardedFetch: typeof globalThis.fetch;
}

/**
 * Reaches servers whose address a user typed in, without being led into the host's own network. Every address is looked
 * at when it is connected to, on every hop. Needs npm `undici`.
 *
 * @throws McaError `configuration`, reason `bad_allow_list`. From requests: `configuration` `address_blocked` or
 *   `undici_missing`
 * @example
 * ```ts
 * import { createRegistry } from '@mca/core';
 * import { guardedNetwork } from '@mca/core/adapters/guarded-network';
 * import { memory } from '@mca/core/adapters/memory';
 *
 * const registry = createRegistry({ providers: [], ...memory(), ...guardedNetwork({ allow: ['192.168.1.0/24'] }) });
 * ```
 */
export function guardedNetwork(options: GuardedNetworkOptions = {}): GuardedNetwork {
  const policy = addressPolicy(options.allow ?? []);
  const resolve = options.resolve ?? resolveBySystem;
  let agent: Agent | undefined;

  return {
    async guardedFetch(input, init) {
      const request = new Request(input, init);
      const undici = await loadUndici();
      agent ??= new undici.Agent({ connect: guardedConnector(undici.buildConnector, policy, resolve) });
      const { method, redirect, signal } = request;
      const body = request.body ? new Uint8Array(await request.arrayBuffer()) : null;
      const headers = [...request.headers] as [string, string][];
      // Node's own Request is a stranger to npm's undici, and Node's own fetch to its agents: parts cross, not objects.
      const undiciInit: UndiciInit = { method, redirect, signal, body, headers, dispatcher: agent };
      try {
        const response = await undici.fetch(request.url, undiciInit);
        const hasBody = response.body !== null && ![204, 205, 304].includes(response.status);
        return new Response(hasBody ? (response.body as unknown as ReadableStream) : null, {
          status: response.status,
          statusText: response.statusText,
          headers: [...response.headers],
        });
      } catch (error) {
        const cause: unknown = error instanceof Error ? error.cause : undefined;
        throw McaError.isInstance(cause) ? cause : error;
      }
    },
  };
}

async function loadUndici(): Promise<typeof import('undici')> {
  try {
    return await import('undici');
  } catch (cause) {
    throw new McaError({
      code: 'configuration',
      reason: 'undici_missing',
      message: 'guardedNetwork needs the package undici, which is not installed.',
      hint: 'npm install undici',
      cause,
    });
  }
}
