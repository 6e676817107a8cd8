import type { AuthStrategy } from '../contracts/auth.ts';
import type { CapabilityMap } from '../contracts/capabilities/index.ts';
import type { ErrorRule } from '../contracts/error-rule.ts';
import type { DataPolicy, Provider, RateLimit } from '../contracts/provider.ts';

/** What an author writes down about a provider. */
export interface ProviderDefinition<Id extends string, Capabilities extends Partial<CapabilityMap>> {
  /** Lower-case letters, digits and dashes, a letter first; also the platform of its items. */
  readonly id: Id;
  readonly name: string;
  readonly baseUrl?: string | undefined;
  /** Ways to connect, the preferred one first. @default `file-import` when that is all it can do, else `none` */
  readonly auth?: readonly AuthStrategy[] | undefined;
  /** Hosts it may call besides those of `baseUrl` and of its auth endpoints. @default none */
  readonly hosts?: readonly string[] | undefined;
  /** What the service's error answers mean, the special before the general. @default the meaning of the HTTP status */
  readonly errors?: readonly ErrorRule[] | undefined;
  /** @default no limit */
  readonly limits?: readonly RateLimit[] | undefined;
  /** What the service's terms ask. @default nothing */
  readonly policy?: DataPolicy | undefined;
  readonly capabilities: Capabilities;
}

/**
 * Makes a provider out of its definition. A plain object in, a frozen plain object out; checks happen when it is registered.
 *
 * @example
 * ```ts
 * export function vinyl(): FileImportProvider<'vinyl'> {
 *   return defineProvider({ id: 'vinyl', name: 'My record shelf', capabilities: { fileImport } });
 * }
 * ```
 */
export function defineProvider<const Id extends string, Capabilities extends Partial<CapabilityMap>>(
  definition: ProviderDefinition<Id, Capabilities>,
): Provider<Id, Capabilities> {
  const names = Object.keys(definition.capabilities);
  const auth = definition.auth ?? [{ type: names.length === 1 && names[0] === 'fileImport' ? 'file-import' : 'none' }];
  return Object.freeze({
    apiVersion: 1,
    id: definition.id,
    name: definition.name,
    baseUrl: definition.baseUrl,
    auth: auth.map(concealed),
    hosts: definition.hosts ?? [],
    errors: definition.errors ?? [],
    limits: definition.limits ?? [],
    policy: definition.policy ?? {},
    capabilities: Object.freeze(definition.capabilities),
  });
}

/** Providers get printed and logged: the client secret is there for whoever asks for it by name, and for nobody else. */
function concealed(strategy: AuthStrategy): AuthStrategy {
  if (!('clientSecret' in strategy)) return strategy;
  const { clientSecret, ...rest } = strategy;
  return Object.defineProperty(rest, 'clientSecret', { value: clientSecret, enumerable: false });
}
