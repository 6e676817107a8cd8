import { McaError } from '../contracts/errors.ts';
import type { AnyProvider } from '../contracts/provider.ts';

/**
 * The provider with an id.
 *
 * @throws McaError `not_found` `unknown_provider`
 */
export function findProvider(providers: readonly AnyProvider[], id: string): AnyProvider {
  const provider = providers.find((each) => each.id === id);
  if (provider) return provider;
  throw new McaError({
    code: 'not_found',
    reason: 'unknown_provider',
    provider: id,
    message: `No provider "${id}" is registered.`,
    hint: `Registered are: ${providers.map((each) => each.id).join(', ') || 'none'}.`,
  });
}
