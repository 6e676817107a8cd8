import type { AuthStrategy } from '../contracts/auth.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomToken, sha256Hex } from '../runtime/encoding.ts';
import type { ConnectionChoices, ConnectRequest } from './connect-steps.ts';
import { type SealPlace, seal, unseal } from './envelope.ts';
import { sealerOf } from './vault.ts';

/** How long a user may take. */
export const FLOW_TTL_MS: number = 600_000;

const BEGIN_AGAIN = 'Start connecting again, in the browser session that shall be connected.';

/** What is remembered of a flow, sealed. */
export interface Flow {
  readonly provider: string;
  readonly strategy: AuthStrategy['type'];
  /** SHA-256 of the host's session binding. */
  readonly binding?: string | undefined;
  readonly choices?: ConnectionChoices | undefined;
  readonly scopes: readonly string[];
  readonly redirectUri?: string | undefined;
  readonly verifier?: string | undefined;
  readonly device?: DeviceFlow | undefined;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** What is remembered between two polls of a device flow. */
export interface DeviceFlow {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete?: string | undefined;
  readonly intervalMs: number;
  /** Not asked before this instant, epoch milliseconds. */
  readonly pollAt: number;
}

/** Begins a flow under a state that nobody can guess. */
export async function beginFlow(
  registry: AnyRegistry,
  request: ConnectRequest & ConnectionChoices,
  flow: Flow,
): Promise<string> {
  const state = randomToken(registry.env.random);
  const { connectionId, account, firstSync } = request;
  await keepFlow(registry, request.userId, state, {
    ...flow,
    choices: { connectionId, account, firstSync },
    ...(request.sessionBinding !== undefined && { binding: await sha256Hex(request.sessionBinding) }),
  });
  return state;
}

/** Keeps a flow under its state, of which only the hash is stored. */
export async function keepFlow(registry: AnyRegistry, userId: string, state: string, flow: Flow): Promise<void> {
  const hash = await sha256Hex(state);
  const place = placeOf(userId, flow.provider, hash);
  const sealed = await seal(sealerOf(registry), place, JSON.stringify(flow));
  await registry.storage.putConnectState({ hash, userId, sealed, expiresAt: flow.expiresAt });
}

/**
 * Takes a flow out: the storage gives it to exactly one caller. Whoever comes with the wrong user, provider, session or
 * redirect address has used it up.
 *
 * @throws McaError `auth_expired` `state_unknown` or `state_mismatch`
 */
export async function takeFlow(
  registry: AnyRegistry,
  request: ConnectRequest & { readonly redirectUri?: string | undefined },
  state: string,
): Promise<Flow> {
  if (state === '') throw lost(request, 'What came back has no state.', 'Pass the query of the callback as it came.');
  const taken = await registry.storage.takeConnectState(await sha256Hex(state));
  if (!taken)
    throw lost(
      request,
      'The flow is unknown: it went through already, was begun more than ten minutes ago, or was opened in another browser.',
    );
  if (taken.expiresAt <= registry.env.clock.now()) throw lost(request, 'The flow took too long and has expired.');
  // Sealed for its user and provider: under any other it does not open.
  const place = placeOf(request.userId, request.provider, taken.hash);
  const isTheirs = taken.userId === request.userId;
  const text = isTheirs ? await unseal(sealerOf(registry), place, taken.sealed).catch(noneIfTampered) : undefined;
  if (text === undefined) throw mismatch(request, 'The flow was begun by another user or for another provider.');
  const flow = JSON.parse(text) as Flow;
  // From here on it is the user's own: to say more tells nobody anything.
  if (flow.redirectUri !== request.redirectUri) {
    const hint = 'Pass the same redirectUri to beginConnect and continueConnect, from your configuration.';
    throw mismatch(request, 'The flow was begun with another redirect address.', hint);
  }
  const binding = request.sessionBinding === undefined ? undefined : await sha256Hex(request.sessionBinding);
  if (flow.binding === binding) return flow;
  if (flow.binding !== undefined && binding !== undefined) {
    throw mismatch(request, 'The flow was begun in another browser session of the user.');
  }
  const hint = 'Pass the same sessionBinding to beginConnect and continueConnect, or to neither.';
  throw mismatch(request, `The flow was begun with${flow.binding === undefined ? 'out' : ''} a sessionBinding.`, hint);
}

function noneIfTampered(error: unknown): undefined {
  if (McaError.isInstance(error) && error.reason === 'credential_tampered') return undefined;
  throw error;
}

function lost(request: ConnectRequest, message: string, hint?: string): McaError {
  return invalidState(request, 'state_unknown', message, hint);
}

function mismatch(request: ConnectRequest, message: string, hint?: string): McaError {
  return invalidState(request, 'state_mismatch', message, hint);
}

function invalidState(request: ConnectRequest, reason: string, message: string, hint = BEGIN_AGAIN): McaError {
  return new McaError({ code: 'auth_expired', reason, provider: request.provider, message, hint });
}

function placeOf(userId: string, provider: string, hash: string): SealPlace {
  return { userId, provider, connectionId: hash, field: 'connect-state' };
}
