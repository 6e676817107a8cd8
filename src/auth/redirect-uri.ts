import { McaError } from '../contracts/errors.ts';
import { isLoopback } from '../runtime/http/hosts.ts';

/**
 * Refuses a redirect address that no service should accept. It is used as it was given, byte for byte, so it has to be
 * spelt the one way browsers spell it.
 *
 * @throws McaError `configuration` `invalid_redirect_uri`
 */
export function checkRedirectUri(redirectUri: string | undefined): string {
  const fault = faultOf(redirectUri);
  if (fault === undefined) return redirectUri as string;
  throw new McaError({
    code: 'configuration',
    reason: 'invalid_redirect_uri',
    message: `The redirect address ${fault}.`,
    hint: 'Take it from your configuration: https://your.app/connect/<provider>/callback, exactly as registered at the service.',
  });
}

function faultOf(redirectUri: string | undefined): string | undefined {
  if (redirectUri === undefined || redirectUri === '') return 'is missing';
  if (!URL.canParse(redirectUri)) return 'is no address';
  const { protocol, hostname, username, password, href } = new URL(redirectUri);
  const isWeb = protocol === 'https:' || protocol === 'http:';
  // Other schemes belong to apps on the user's device.
  if (!isWeb)
    return /^(?:javascript|data|file|blob|about|vbscript):$/.test(protocol) ? 'has no scheme for this' : undefined;
  if (protocol === 'http:' && !isLoopback(hostname)) return 'is not https';
  if (username !== '' || password !== '') return 'holds a user name';
  if (redirectUri.includes('#')) return 'holds a fragment';
  if (href !== redirectUri && href !== `${redirectUri}/`) return 'is not spelt as browsers spell it';
  return undefined;
}
