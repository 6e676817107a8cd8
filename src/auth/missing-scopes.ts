import type { Connection } from '../contracts/connection.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { atConnection } from './reauth.ts';

/** Of the scopes that something needs, those the user did not grant, in the same order. */
export function missingScopesOf(
  { grantedScopes }: Pick<Connection, 'grantedScopes'>,
  needed: readonly string[] = [],
): readonly string[] {
  return needed.filter((scope) => !grantedScopes.includes(scope));
}

/**
 * Tells the host which scopes kept a capability from being used, so that it can ask the user for just these: an event
 * `scopes_missing`. Nothing is told when none is missing.
 */
export function tellMissingScopes(
  registry: AnyRegistry,
  connection: Pick<Connection, 'id' | 'userId' | 'provider'>,
  capability: string,
  missing: readonly string[],
): void {
  if (missing.length === 0) return;
  registry.emit({ type: 'scopes_missing', ...atConnection(connection), capability, missing });
}
