import { McaError } from '../../contracts/errors.ts';
import type { AnyProvider } from '../../contracts/provider.ts';

/** Every host a provider may call: of its base URL, of its list, and of its auth endpoints. With port where one is given. */
export function hostsOf(provider: AnyProvider): ReadonlySet<string> {
  const hosts = new Set((provider.hosts ?? []).map((host) => host.toLowerCase()));
  for (const address of [provider.baseUrl, ...provider.auth.flatMap(endpointsOf)]) {
    if (address !== undefined && URL.canParse(address)) hosts.add(new URL(address).host);
  }
  return hosts;
}

function endpointsOf(strategy: AnyProvider['auth'][number]): readonly (string | undefined)[] {
  if (strategy.type === 'oauth2') {
    return [strategy.authorizationEndpoint, strategy.tokenEndpoint, strategy.revocationEndpoint];
  }
  if (strategy.type === 'device-code') {
    return [strategy.deviceEndpoint, strategy.tokenEndpoint, strategy.revocationEndpoint];
  }
  return [];
}

/**
 * The address of a request: relative to the base URL with its path, or absolute on a host of the provider's.
 *
 * @throws McaError `plugin` `host_not_allowed`
 */
export function addressOf(provider: AnyProvider, hosts: ReadonlySet<string>, baseUrl: string, path: string): URL {
  const base = rootOf(baseUrl);
  const isAbsolute = /^https?:/i.test(path);
  // './' keeps `//other.example` and `name:rest` from being read as anything but a path.
  const address = isAbsolute ? parse(path) : parse(`./${path.replace(/^[/\\]+/, '')}`, base);
  const isAllowed = address !== undefined && (address.host === base.host || hosts.has(address.host));
  if (isAllowed && isSafe(base, address) && address.username === '' && address.password === '') return address;
  throw new McaError({
    code: 'plugin',
    reason: 'host_not_allowed',
    provider: provider.id,
    message: `${provider.name} was asked to call ${address?.host || 'an address'} that is not its own.`,
    hint: 'Only https addresses on hosts of its baseUrl, hosts and auth endpoints may be called.',
  });
}

/** Plain http never leaves the machine, but for a server whose own address says http. */
function isSafe(base: URL, address: URL): boolean {
  if (address.protocol === 'https:') return true;
  return address.protocol === 'http:' && (isLoopback(address.hostname) || address.origin === base.origin);
}

/** Whether a host name as `URL` spells it means this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** The base URL as a folder, without a query. */
function rootOf(baseUrl: string): URL {
  // Nearly always: setting a part of an address costs as much as reading all of it.
  if (!/[?#]/.test(baseUrl)) return new URL(baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`);
  const base = new URL(baseUrl);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  base.search = '';
  return base;
}

function parse(address: string, base?: URL): URL | undefined {
  return URL.parse(address, base) ?? undefined;
}
