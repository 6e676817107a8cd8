import { McaError } from '../contracts/errors.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import { Secret } from './secret.ts';

/** What is kept, sealed, of a connection. */
export type StoredCredentials = OAuthTokens | SessionKey | FilledFields;

/** Tokens of an OAuth service. */
export interface OAuthTokens {
  readonly kind: 'oauth';
  /** Which of the provider's strategies they came by. */
  readonly strategy: 'oauth2' | 'device-code';
  readonly accessToken: Secret;
  readonly refreshToken?: Secret | undefined;
  /** Epoch milliseconds by the service's clock; absent when the service does not say. */
  readonly expiresAt?: number | undefined;
  /** How long the access token was good for when it came, in milliseconds. */
  readonly lifetimeMs?: number | undefined;
  readonly scopes: readonly string[];
  /** When the user agreed, epoch milliseconds. */
  readonly authorizedAt: number;
  /** When that consent ends whatever is refreshed, epoch milliseconds. */
  readonly authorizationExpiresAt?: number | undefined;
  /** What came of the last attempts to refresh; absent after a success. */
  readonly failure?: RefreshFailure | undefined;
}

/** Why tokens are not refreshed right now, or never again. */
export interface RefreshFailure {
  /** Failures in a row. */
  readonly count: number;
  /** Days (UTC, `2026-11-21`) on which the service failed. */
  readonly days: readonly string[];
  /** Nothing is asked before this instant, epoch milliseconds. */
  readonly retryAt: number;
  readonly code: McaError['code'];
  readonly reason: string;
  /** A request was sent and its answer lost: the service may have replaced the refresh token. */
  readonly ambiguous: boolean;
  /** Set when only the user can help: `revoked`, `expired`, `ambiguous`, `exhausted`. */
  readonly final?: string | undefined;
}

/** A lasting key, such as Last.fm's. */
export interface SessionKey {
  readonly kind: 'session';
  readonly strategy: 'session-key';
  readonly sessionKey: Secret;
}

/** What the user, or the host, filled in. */
export interface FilledFields {
  readonly kind: 'fields';
  readonly strategy: 'form' | 'host-supplied';
  readonly fields: Readonly<Record<string, Secret>>;
}

/** As a text to be sealed. */
export function encodeCredentials(credentials: StoredCredentials): string {
  return JSON.stringify({ v: 1, ...credentials, ...revealSecrets(credentials) });
}

function revealSecrets(credentials: StoredCredentials): object {
  switch (credentials.kind) {
    case 'oauth':
      return { accessToken: credentials.accessToken.reveal(), refreshToken: credentials.refreshToken?.reveal() };
    case 'session':
      return { sessionKey: credentials.sessionKey.reveal() };
    case 'fields':
      return { fields: revealFields(credentials.fields) };
  }
}

/** Reads what {@link encodeCredentials} wrote. It was sealed, so a wrong shape means another version of the SDK. */
export function decodeCredentials(text: string): StoredCredentials {
  const { v, ...stored } = JSON.parse(text) as { readonly v: unknown; readonly kind: unknown };
  if (v === 1) {
    if (stored.kind === 'oauth') {
      const tokens = stored as unknown as Omit<OAuthTokens, 'accessToken' | 'refreshToken'> & PlainTokens;
      const { accessToken, refreshToken, ...rest } = tokens;
      return {
        ...rest,
        accessToken: new Secret(accessToken),
        ...(refreshToken !== undefined && { refreshToken: new Secret(refreshToken) }),
      };
    }
    if (stored.kind === 'session') {
      const session = stored as unknown as Omit<SessionKey, 'sessionKey'> & { readonly sessionKey: string };
      return { ...session, sessionKey: new Secret(session.sessionKey) };
    }
    if (stored.kind === 'fields') {
      const filled = stored as unknown as Omit<FilledFields, 'fields'> & { readonly fields: Record<string, string> };
      return { ...filled, fields: hideFields(filled.fields) };
    }
  }
  throw new McaError({
    code: 'storage',
    reason: 'credential_format',
    message: 'Stored credentials were written by another version of the SDK.',
    hint: 'Run the newest version everywhere, or connect the account again.',
  });
}

interface PlainTokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
}

/** Fields with their texts readable, for signing. */
export function revealFields(fields: Readonly<Record<string, Secret>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, secret]) => [name, secret.reveal()]));
}

/** Fields with their texts hidden. */
export function hideFields(fields: Readonly<Record<string, string>>): Record<string, Secret> {
  return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, new Secret(text)]));
}

/** The address of the user's own server, where they filled one in. */
export function userUrlOf(provider: AnyProvider, credentials: StoredCredentials): string | undefined {
  if (credentials.kind !== 'fields') return undefined;
  const strategy = provider.auth.find(({ type }) => type === credentials.strategy);
  const url = strategy && 'fields' in strategy ? strategy.fields.find(({ kind }) => kind === 'url') : undefined;
  return url && credentials.fields[url.name]?.reveal();
}
