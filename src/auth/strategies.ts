import type { AuthStrategy } from '../contracts/auth.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { findProvider } from '../registry/find-provider.ts';

/** A registered provider. */
export function providerOf(registry: AnyRegistry, id: string): AnyProvider {
  return findProvider(registry.list(), id);
}

/** The provider's strategy of a type. It may be gone: providers change, and hosts take client ids out. */
export function strategyOf<Type extends AuthStrategy['type']>(
  provider: AnyProvider,
  type: Type,
): Extract<AuthStrategy, { readonly type: Type }> {
  const found = provider.auth.find((strategy) => strategy.type === type);
  if (found) return found as Extract<AuthStrategy, { readonly type: Type }>;
  throw new McaError({
    code: 'configuration',
    reason: 'no_strategy',
    provider: provider.id,
    message: `${provider.name} does not log in by "${type}".`,
    hint: `It can log in by: ${provider.auth.map((each) => each.type).join(', ') || 'nothing'}. Was it given its client id?`,
  });
}

/** How the provider is asked on behalf of nobody, if it can be. */
export function anonymousOf(provider: AnyProvider): Extract<AuthStrategy, { readonly type: 'none' }> | undefined {
  return provider.auth.find((strategy) => strategy.type === 'none');
}
