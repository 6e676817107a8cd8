import type { SigningCredentials, SignRequest } from '../../contracts/auth.ts';
import type { Env, Fetch } from '../../contracts/env.ts';
import type { McaError } from '../../contracts/errors.ts';
import type { McaEvent } from '../../contracts/events.ts';
import type { AnyProvider } from '../../contracts/provider.ts';
import type { HttpState } from './state.ts';

/** Where credentials for a request come from; the token vault fulfils it. */
export interface Authoriser {
  /** What to sign the next attempt with. Refreshes first when what is stored is about to expire. */
  current(signal: AbortSignal): Promise<VersionedCredentials>;
  /**
   * The service refused what `refused` held. Answers newer credentials to try once more, or throws `auth_expired` when
   * there will be none without the user. `said` is what the service said.
   */
  renew(refused: VersionedCredentials, signal: AbortSignal, said: McaError): Promise<VersionedCredentials>;
  /** Absent: nothing is added to requests. */
  readonly sign: SignRequest | undefined;
}

/** Credentials, and which version of what is stored they are. */
export interface VersionedCredentials extends SigningCredentials {
  readonly version: number;
}

/** All that an HTTP client of one provider, and mostly of one connection, is made of. */
export interface HttpSetup {
  readonly env: Env;
  readonly provider: AnyProvider;
  readonly connection: { readonly id: string; readonly userId: string } | undefined;
  /** Root for relative paths: the provider's, or that of the user's own server. */
  readonly baseUrl: string;
  /** Set for a base URL that a user typed in: everything goes through this instead of `env.fetch`. */
  readonly guardedFetch: Fetch | undefined;
  /** Absent for calls without credentials. */
  readonly authoriser: Authoriser | undefined;
  readonly state: HttpState;
  readonly emit: (event: McaEvent) => void;
  /** Ends waits and requests: the caller's signal and the registry's closing, together. */
  readonly signal: AbortSignal;
}
