import type { CapabilityMap, CapabilityName } from '../contracts/capabilities/index.ts';
import type { Connection } from '../contracts/connection.ts';
import type { AddedProviderId, AnyProvider } from '../contracts/provider.ts';
import { checkUserId } from '../registry/check-user-id.ts';
import type { AnyRegistry, Registry } from '../registry/create-registry.ts';
import { assertScopes, openContext } from './connection-context.ts';
import { connectionOf } from './connection-of.ts';
import { needsReauth } from './reauth.ts';
import { providerOf } from './strategies.ts';

/** Methods that work without a context; they stay as they are. */
const WITHOUT_CONTEXT: readonly string[] = ['replay'];

/** A capability whose methods need no context any more: they act for one user. */
export type BoundCapability<Capability> = Capability extends undefined
  ? undefined
  : {
      readonly [Key in keyof Capability]: Key extends 'replay' ? Capability[Key] : BoundMethod<Capability[Key]>;
    };

/** A method of a capability without its context. */
export type BoundMethod<Member> = Member extends undefined
  ? undefined
  : // biome-ignore lint/suspicious/noExplicitAny: whatever the context's place is called, it is the first
    Member extends (context: any, ...rest: infer Rest) => infer Result
    ? (...rest: Rest) => Result
    : Member;

/** What {@link userProvider} gives: the provider's capabilities, acting for one user's connection. */
export type UserProvider<P extends AnyProvider> = {
  /** As it was when the handle was made. */
  readonly connection: Connection;
} & {
  readonly [Name in keyof P['capabilities'] as Name extends 'fileImport' ? never : Name]: BoundCapability<
    P['capabilities'][Name]
  >;
};

/** The provider with an id among those of a registry. */
export type ProviderById<P extends readonly AnyProvider[], Id> = [Extract<P[number], { readonly id: Id }>] extends [
  never,
]
  ? AnyProvider
  : Extract<P[number], { readonly id: Id }>;

/** Options of {@link userProvider}. */
export interface UserProviderOptions<Id extends string = string> {
  readonly userId: string;
  readonly provider: Id;
  /** Which connection, where the user has several accounts of the provider. @default the only one */
  readonly connectionId?: string | undefined;
  /** Ends the calls of this handle. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A provider that acts for one user: its capabilities with the user's credentials, kept fresh, behind them. `undefined`
 * when the user has not connected it.
 *
 * Calls throw `auth_expired` when the user has to connect again and `permission_denied` when scopes are missing.
 *
 * @throws McaError `invalid_data` `ambiguous_connection` when the user has several accounts and none is named
 * @example
 * ```ts
 * const spotify = await userProvider(registry, { userId: 'ana', provider: 'spotify' });
 * const check = await spotify?.sessionCheck.check();
 * ```
 */
export async function userProvider<
  const P extends readonly AnyProvider[],
  Id extends P[number]['id'] | AddedProviderId,
>(registry: Registry<P>, options: UserProviderOptions<Id>): Promise<UserProvider<ProviderById<P, Id>> | undefined> {
  const { userId, provider: id, connectionId, signal = new AbortController().signal } = options;
  checkUserId(userId);
  await registry.ready();
  const any: AnyRegistry = registry;
  const provider = providerOf(any, id);
  const connection = await connectionOf(any, { userId, provider: id, connectionId });
  if (!connection || connection.status === 'disconnected') return undefined;
  const names = (Object.keys(provider.capabilities) as CapabilityName[]).filter((name) => name !== 'fileImport');
  const bound = names.map((name) => [name, bind(any, connection, provider.capabilities[name] ?? {}, signal)]);
  // Built by name, and typed by name: the compiler cannot see that both are the same names.
  return { connection, ...Object.fromEntries(bound) } as UserProvider<ProviderById<P, Id>>;
}

function bind(
  registry: AnyRegistry,
  connection: Connection,
  capability: object & { readonly scopes?: CapabilityMap['history']['scopes'] },
  signal: AbortSignal,
): object {
  const members = Object.entries(capability).map(([key, member]: [string, unknown]) => {
    if (typeof member !== 'function' || WITHOUT_CONTEXT.includes(key)) return [key, member];
    const call = async (...rest: readonly unknown[]): Promise<unknown> => {
      // Looked up again: it may have been disconnected since the handle was made.
      const [current] = await registry.storage.listConnections({ id: connection.id });
      if (!current) throw needsReauth(connection, 'not_connected');
      assertScopes(current, capability.scopes);
      const context = await openContext(registry, current, signal);
      return Reflect.apply(member, capability, [context, ...rest]);
    };
    return [key, call];
  });
  return Object.fromEntries(members);
}
