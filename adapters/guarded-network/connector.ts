import { isIP, type LookupFunction } from 'node:net';
import { McaError } from '@mca/core/adapter-kit';
import type { buildConnector } from 'undici';
import type { AddressPolicy } from './addresses.ts';
import type { ResolveName } from './resolve-name.ts';

/**
 * A connector that looks at addresses three times: when the host is written as an address (no lookup is made then), when
 * a name is resolved (the very addresses that are connected to, so no second answer of a rebinding name server counts),
 * and at the peer of the open socket.
 */
export function guardedConnector(
  build: typeof buildConnector,
  policy: AddressPolicy,
  resolve: ResolveName,
): buildConnector.connector {
  const refuse = (address: string, host: string): Error | undefined => {
    const refusal = policy.refusal(address, host);
    return refusal && blocked(host, refusal);
  };
  const lookup: LookupFunction = (name, { all }, done) =>
    resolve(name, (error, addresses) => {
      // One bad address spoils all: which of them is tried first is not ours to decide.
      const failure = error ?? addresses.map(({ address }) => refuse(address, name)).find((each) => each !== undefined);
      const [first] = addresses;
      if (failure || !first) done(failure ?? new Error('The name has no address'), '');
      else if (all) done(null, [...addresses]);
      else done(null, first.address, first.family);
    });
  const connect = build({ lookup });

  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    const literal = isIP(host) > 0 ? refuse(host, host) : undefined;
    if (literal) {
      callback(literal, null);
      return;
    }
    connect(options, (...[error, socket]) => {
      const failure = error ?? refuse(socket.remoteAddress ?? '', host);
      if (!failure) {
        callback(null, socket as NonNullable<typeof socket>);
        return;
      }
      socket?.destroy();
      callback(failure, null);
    });
  };
}

function blocked(host: string, refusal: 'private' | 'never'): McaError {
  return new McaError({
    code: 'configuration',
    reason: 'address_blocked',
    message: `${host} lies on an address that must not be connected to.`,
    hint:
      refusal === 'private'
        ? "If the server is in your own network, allow it: guardedNetwork({ allow: ['192.168.1.0/24'] })."
        : undefined,
  });
}
