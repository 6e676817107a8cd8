import type { ProviderDescription } from '@mca/core';

/** A link that begins to connect something. Links, as a form that ends at a service would need its address in our CSP. */
export interface Way {
  readonly href: string;
  readonly text: string;
}

/** All ways to connect a provider, its default first. */
export function ways({ id, connect }: ProviderDescription): readonly Way[] {
  return connect.flatMap(({ type }): readonly Way[] => {
    switch (type) {
      case 'oauth2':
      case 'session-key':
        return [
          { href: `/connect/${id}?way=${type}`, text: 'Log in there' },
          { href: `/connect/${id}?way=${type}&only-new`, text: 'Log in, and take only what is new from now on' },
        ];
      case 'device-code':
        return [{ href: `/services/${id}/device-code`, text: 'With a code, on another device' }];
      case 'form':
        return [{ href: `/services/${id}/form`, text: 'With what the service tells you (a name, a token)' }];
      case 'host-supplied':
        return [{ href: `/services/${id}/host-supplied`, text: 'With your user name and password there' }];
      default:
        return [];
    }
  });
}
