import type { AuthStrategy, FormField } from '../contracts/auth.ts';
import { CAPABILITY_NAMES } from '../contracts/capabilities/index.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import { checkOneOf, FIRST_SYNCS } from '../registry/check-one-of.ts';
import { checkUserId } from '../registry/check-user-id.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomToken } from '../runtime/encoding.ts';
import { authorizationUrl } from './authorization-url.ts';
import { beginFlow, type DeviceFlow, FLOW_TTL_MS, type Flow, keepFlow, takeFlow } from './connect-state.ts';
import type {
  BeginConnectOptions,
  ConnectedStep,
  ConnectStep,
  ContinueConnectOptions,
  DeviceStep,
} from './connect-steps.ts';
import { openUnsignedContext } from './connection-context.ts';
import { hideFields, type OAuthTokens } from './credentials.ts';
import { type Established, establish } from './establish.ts';
import { checkFields } from './form-fields.ts';
import { checkRedirectUri } from './redirect-uri.ts';
import { Secret } from './secret.ts';
import { providerOf, strategyOf } from './strategies.ts';
import { type Grant, type OAuthStrategy, TokenEndpoint } from './token-endpoint.ts';
import { accessDenied, TokenFailure } from './token-failure.ts';
import { unlessErased } from './unless-erased.ts';
import { checkRoom, connectionToRenew } from './whose-account.ts';

const SLOW_DOWN_MS = 5_000;

/**
 * Begins to connect a user's account: the answer says what to do next. Connecting an account that is connected already
 * renews it.
 *
 * @throws McaError `configuration` for a redirect address no service should accept, `unsupported` for a provider
 *   whose credentials come from the host, `not_found` when the user has no connection `connectionId`, `invalid_data`
 *   `account_unknown` for a second account where nobody says whose it is
 * @example
 * ```ts
 * const step = await beginConnect(registry, {
 *   userId: 'ana',
 *   provider: 'spotify',
 *   redirectUri: 'https://your.app/connect/spotify/callback',
 *   sessionBinding: session.id,
 * });
 * if (step.step === 'redirect') response.redirect(step.url);
 * ```
 */
export async function beginConnect(registry: AnyRegistry, options: BeginConnectOptions): Promise<ConnectStep> {
  const provider = providerOf(registry, options.provider);
  const { userId, connectionId, account, firstSync } = options;
  checkUserId(userId);
  if (firstSync !== undefined) checkOneOf(firstSync, FIRST_SYNCS, 'firstSync');
  for (const name of options.capabilities ?? []) checkOneOf(name, CAPABILITY_NAMES, 'capabilities');
  await registry.ready();
  const strategy = firstStrategy(provider, options.strategy);
  const again = await connectionToRenew(registry, { userId, provider, connectionId });
  if (!again && !account && strategy) await checkRoom(registry, { userId, provider }, strategy);
  const signal = options.signal ?? new AbortController().signal;
  const flow = { provider: provider.id, expiresAt: registry.env.clock.now() + FLOW_TTL_MS };
  switch (strategy?.type) {
    case 'oauth2': {
      const redirectUri = checkRedirectUri(options.redirectUri);
      const scopes = scopesFor(provider, strategy, options);
      const verifier = strategy.pkce === 'unsupported' ? undefined : randomToken(registry.env.random);
      const state = await beginFlow(registry, options, { ...flow, strategy: 'oauth2', scopes, redirectUri, verifier });
      return {
        step: 'redirect',
        url: await authorizationUrl(strategy, { state, scopes, redirectUri, verifier }),
        state,
      };
    }
    case 'session-key': {
      const redirectUri = checkRedirectUri(options.redirectUri);
      const state = await beginFlow(registry, options, { ...flow, strategy: 'session-key', scopes: [], redirectUri });
      // Such services have no state of their own; they keep the query of the address.
      const back = new URL(redirectUri);
      back.searchParams.set('state', state);
      return { step: 'redirect', url: strategy.authorizeUrl(back.href), state };
    }
    case 'device-code':
      return beginDevice(registry, options, provider, strategy, signal);
    case 'form': {
      const state = await beginFlow(registry, options, { ...flow, strategy: 'form', scopes: [] });
      return { step: 'form', fields: strategy.fields, state };
    }
    case 'none': {
      const known = { userId, provider, connectionId, account: account ?? '', firstSync };
      const watched = { registry, userId, provider: provider.id };
      return unlessErased<ConnectedStep>(watched, () =>
        establish(registry, { ...known, credentials: undefined, scopes: [], signal }),
      );
    }
    case 'host-supplied':
      throw new McaError({
        code: 'unsupported',
        reason: 'host_supplied',
        provider: provider.id,
        message: `${provider.name} is connected with credentials of the host's own login.`,
        hint: 'Call addConnection with them.',
      });
    default:
      return { step: 'file', accept: provider.capabilities.fileImport?.accept ?? [] };
  }
}

/** The strategy that is asked for, or the provider's first. `undefined` for a provider that knows none. */
export function firstStrategy(provider: AnyProvider, type: AuthStrategy['type'] | undefined): AuthStrategy | undefined {
  return type ? strategyOf(provider, type) : provider.auth[0];
}

/**
 * Goes on with a flow: with what the browser came back with, with what was filled into a form, or to ask whether the
 * user has confirmed a device. A flow goes through once.
 *
 * @throws McaError `auth_expired` when the flow is unknown, over, or not this user's; `permission_denied`
 *   `access_denied` when the user said no; `invalid_data` `account_mismatch` when it is not the account of
 *   `connectionId`, `account_unknown` when nobody says whose it is and the user is connected already
 * @example
 * ```ts
 * const { searchParams: query } = new URL(request.url);
 * const step = await continueConnect(registry, { userId: 'ana', provider: 'spotify', query, redirectUri, sessionBinding });
 * ```
 */
export async function continueConnect(
  registry: AnyRegistry,
  options: ContinueConnectOptions,
): Promise<DeviceStep | ConnectedStep> {
  const provider = providerOf(registry, options.provider);
  checkUserId(options.userId);
  await registry.ready();
  // Watched before the flow is taken: from then on nothing of it is left that erasing could take along.
  return unlessErased<DeviceStep>({ registry, userId: options.userId, provider: provider.id }, () =>
    goOn(registry, options, provider),
  );
}

async function goOn(
  registry: AnyRegistry,
  options: ContinueConnectOptions,
  provider: AnyProvider,
): Promise<DeviceStep | ConnectedStep> {
  const query = new URLSearchParams(options.query);
  const state = options.state ?? query.get('state') ?? '';
  const flow = await takeFlow(registry, options, state);
  const signal = options.signal ?? new AbortController().signal;
  const { userId } = options;
  const { connectionId, account = '', firstSync } = flow.choices ?? {};
  const base = { userId, provider, scopes: flow.scopes, connectionId, account, firstSync, signal };
  try {
    switch (flow.strategy) {
      case 'oauth2': {
        const strategy = strategyOf(provider, 'oauth2');
        const { redirectUri = '', verifier } = flow;
        const endpoint = new TokenEndpoint(registry, provider, strategy, signal);
        const grant = await endpoint.exchangeCode({ parameters: query, state, redirectUri, verifier });
        return await establish(registry, { ...base, credentials: tokensOf(strategy, grant, flow) });
      }
      case 'device-code':
        return await pollDevice(registry, base, state, flow);
      case 'session-key': {
        const strategy = strategyOf(provider, 'session-key');
        const token = query.get(strategy.tokenParameter);
        if (!token) throw accessDenied(provider.id);
        const { http } = openUnsignedContext(registry, provider, signal);
        const granted = await strategy.exchange(http, token);
        const sessionKey = new Secret(granted.sessionKey);
        const credentials = { kind: 'session', strategy: 'session-key', sessionKey } as const;
        return await establish(registry, { ...base, credentials, account: granted.account, label: granted.account });
      }
      default: {
        const { fields: asked } = strategyOf(provider, 'form');
        const fields = await fieldsOrFlow(registry, options, state, flow, asked);
        return await establish(registry, {
          ...base,
          credentials: { kind: 'fields', strategy: 'form', fields: hideFields(fields) },
        });
      }
    }
  } catch (error) {
    throw error instanceof TokenFailure ? error.error : error;
  }
}

/** A slip in a form does not end the flow: the user corrects it and sends it again. */
async function fieldsOrFlow(
  registry: AnyRegistry,
  options: ContinueConnectOptions,
  state: string,
  flow: Flow,
  asked: readonly FormField[],
): Promise<Record<string, string>> {
  try {
    return checkFields(flow.provider, asked, options.fields ?? {});
  } catch (error) {
    await keepFlow(registry, options.userId, state, flow);
    throw error;
  }
}

async function beginDevice(
  registry: AnyRegistry,
  options: BeginConnectOptions,
  provider: AnyProvider,
  strategy: Extract<AuthStrategy, { readonly type: 'device-code' }>,
  signal: AbortSignal,
): Promise<DeviceStep> {
  const scopes = scopesFor(provider, strategy, options);
  const granted = await new TokenEndpoint(registry, provider, strategy, signal).beginDevice(scopes).catch(unwrap);
  const { deviceCode, lifetimeMs, ...shown } = granted;
  const now = registry.env.clock.now();
  const device = { ...shown, deviceCode: deviceCode.reveal(), pollAt: now + shown.intervalMs };
  const expiresAt = now + lifetimeMs;
  const flow: Flow = { provider: provider.id, strategy: 'device-code', scopes, device, expiresAt };
  return deviceStep(await beginFlow(registry, options, flow), flow, device, now);
}

async function pollDevice(
  registry: AnyRegistry,
  base: Omit<Established, 'credentials'>,
  state: string,
  flow: Flow,
): Promise<DeviceStep | ConnectedStep> {
  const { userId, provider, signal } = base;
  const { device } = flow;
  if (!device) throw accessDenied(provider.id);
  const { clock } = registry.env;
  const again = async (changed: DeviceFlow): Promise<DeviceStep> => {
    const kept = { ...flow, device: changed };
    await keepFlow(registry, userId, state, kept);
    return deviceStep(state, kept, changed, clock.now());
  };
  // Asking too early is told off by the service; not asking at all is as good an answer.
  if (device.pollAt > clock.now()) return again(device);
  const strategy = strategyOf(provider, 'device-code');
  const endpoint = new TokenEndpoint(registry, provider, strategy, signal);
  try {
    const grant = await endpoint.pollDevice(new Secret(device.deviceCode));
    return await establish(registry, { ...base, credentials: tokensOf(strategy, grant, flow) });
  } catch (error) {
    if (!(error instanceof TokenFailure) || error.kind === 'refused' || error.kind === 'denied') throw error;
    const intervalMs = device.intervalMs + (error.kind === 'slow_down' ? SLOW_DOWN_MS : 0);
    const step = await again({ ...device, intervalMs, pollAt: clock.now() + intervalMs });
    if (error.kind === 'client') throw error;
    return step;
  }
}

function deviceStep(state: string, flow: Flow, device: DeviceFlow, now: number): DeviceStep {
  const { userCode, verificationUri, verificationUriComplete, pollAt } = device;
  return {
    step: 'device',
    userCode,
    verificationUri,
    verificationUriComplete,
    expiresAt: new Date(flow.expiresAt),
    pollAfterMs: Math.max(0, pollAt - now),
    state,
  };
}

/** Tokens as they are stored. What the service does not say about scopes means: as asked for. */
function tokensOf(strategy: OAuthStrategy, grant: Grant, flow: Flow): OAuthTokens {
  const { accessToken, refreshToken, expiresAt, lifetimeMs, grantedAt } = grant;
  return {
    kind: 'oauth',
    strategy: strategy.type,
    accessToken,
    ...(refreshToken && { refreshToken }),
    ...(expiresAt !== undefined && { expiresAt, lifetimeMs }),
    scopes: grant.scopes ?? flow.scopes,
    authorizedAt: grantedAt,
    ...(strategy.authorizationLifetimeMs !== undefined && {
      authorizationExpiresAt: grantedAt + strategy.authorizationLifetimeMs,
    }),
  };
}

function scopesFor(
  provider: AnyProvider,
  strategy: OAuthStrategy,
  { capabilities, scopes }: Pick<BeginConnectOptions, 'capabilities' | 'scopes'>,
): readonly string[] {
  if (!capabilities && !scopes) return strategy.scopes;
  const needed = (capabilities ?? []).flatMap((name) => {
    const capability = provider.capabilities[name] as { readonly scopes?: readonly string[] } | undefined;
    return capability?.scopes ?? [];
  });
  return [...new Set([...needed, ...(scopes ?? [])])];
}

function unwrap(error: unknown): never {
  throw error instanceof TokenFailure ? error.error : error;
}
