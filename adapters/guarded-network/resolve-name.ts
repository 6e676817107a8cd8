import { type LookupAddress, lookup } from 'node:dns';

/** Resolves a name to all its addresses. Tests inject a hostile one. */
export type ResolveName = (
  name: string,
  callback: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** As the system resolves names, `/etc/hosts` included. */
export const resolveBySystem: ResolveName = (name, callback) =>
  lookup(name, { all: true }, (error, addresses) => callback(error, addresses ?? []));
