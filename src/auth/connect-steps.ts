import type { AuthStrategy, FormField } from '../contracts/auth.ts';
import type { CapabilityName } from '../contracts/capabilities/index.ts';
import type { Connection } from '../contracts/connection.ts';

/** Send the user's browser there; it comes back to the redirect address. */
export interface RedirectStep {
  readonly step: 'redirect';
  readonly url: string;
  /** One-time; the browser brings it back. */
  readonly state: string;
}

/** Show the code and the address, and call `continueConnect` every `pollAfterMs`. */
export interface DeviceStep {
  readonly step: 'device';
  readonly userCode: string;
  readonly verificationUri: string;
  /** The same with the code in it, for a link or QR code. */
  readonly verificationUriComplete?: string | undefined;
  readonly expiresAt: Date;
  readonly pollAfterMs: number;
  readonly state: string;
}

/** Show a form, and call `continueConnect` with what was filled in. */
export interface FormStep {
  readonly step: 'form';
  readonly fields: readonly FormField[];
  readonly state: string;
}

/** There is nothing to log in to: let the user choose files, and hand them to `importFile`. */
export interface FileStep {
  readonly step: 'file';
  /** File name endings, such as `.zip`. */
  readonly accept: readonly string[];
}

/** Done. */
export interface ConnectedStep {
  readonly step: 'connected';
  readonly connection: Connection;
  /** Scopes that were asked for and not granted. */
  readonly missingScopes: readonly string[];
  /** False when this account was connected before. */
  readonly isNew: boolean;
}

/** What the host has to do next to connect an account. */
export type ConnectStep = RedirectStep | DeviceStep | FormStep | FileStep | ConnectedStep;

/** Who connects what. */
export interface ConnectRequest {
  readonly userId: string;
  readonly provider: string;
  /**
   * Something only this browser session has, such as the session id. Flows begun with one end only with the same.
   * Strongly advised for redirects: without it a link can make a user connect somebody else's account.
   */
  readonly sessionBinding?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is to become of an account that is connected. */
export interface ConnectionChoices {
  /**
   * Connects this connection of the user again, and none else: another account is refused with `invalid_data`
   * `account_mismatch`. @default the account's own connection, or a new one
   */
  readonly connectionId?: string | undefined;
  /**
   * The service's own id or name of the user, where the service does not say it. Without either, a user has at most one
   * such connection. @default what the service says
   */
  readonly account?: string | undefined;
  /**
   * What the first sync of the connection fetches: everything, or what happens from now on. A connection that was synced
   * before goes on where it stands. @default 'everything'
   */
  readonly firstSync?: 'everything' | 'new' | undefined;
}

/** Options of `beginConnect`. */
export interface BeginConnectOptions extends ConnectRequest, ConnectionChoices {
  /** Which of the provider's strategies. @default its first */
  readonly strategy?: AuthStrategy['type'] | undefined;
  /**
   * Where the browser comes back to: an address of yours that is registered at the service, from your configuration and
   * never from a request. Needed for redirects.
   */
  readonly redirectUri?: string | undefined;
  /** Asks for what these capabilities need. @default what the strategy asks for */
  readonly capabilities?: readonly CapabilityName[] | undefined;
  /** Asks for these scopes, and for those of `capabilities` where given. @default what the strategy asks for */
  readonly scopes?: readonly string[] | undefined;
}

/** Options of `continueConnect`. */
export interface ContinueConnectOptions extends ConnectRequest {
  /** `state` of the step before. Not needed for a callback, whose query has it. */
  readonly state?: string | undefined;
  /** Query of the callback: what the browser came back with. */
  readonly query?: URLSearchParams | string | undefined;
  /** The redirect address of `beginConnect`, again from your configuration. */
  readonly redirectUri?: string | undefined;
  /** What was filled into the form. */
  readonly fields?: Readonly<Record<string, string>> | undefined;
}

/** Credentials that a host has already. */
export type GivenCredentials =
  | { readonly fields: Readonly<Record<string, string>> }
  | { readonly sessionKey: string }
  | {
      readonly accessToken: string;
      readonly refreshToken?: string | undefined;
      /** When the access token ends. */
      readonly expiresAt?: Date | undefined;
      /** @default what the strategy asks for */
      readonly scopes?: readonly string[] | undefined;
      /** When the user agreed. @default now */
      readonly authorizedAt?: Date | undefined;
    };

/** Options of `addConnection`. */
export interface AddConnectionOptions extends ConnectionChoices {
  readonly userId: string;
  readonly provider: string;
  /** Absent for services that need none. */
  readonly credentials?: GivenCredentials | undefined;
  /** Name to show. */
  readonly label?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}
