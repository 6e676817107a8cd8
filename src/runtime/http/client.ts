import type { HttpClient, HttpRequest } from '../../contracts/capabilities/context.ts';
import { McaError } from '../../contracts/errors.ts';
import type { SchemaIssue } from '../../contracts/standard-schema.ts';
import { throwIfAborted } from '../sleep.ts';
import { addQuery, buildRequest } from './build-request.ts';
import type { ExchangeLimits } from './exchange.ts';
import { addressOf } from './hosts.ts';
import { redirectTarget } from './redirect.ts';
import { retrying } from './retrying.ts';
import { type Sender, send } from './send.ts';
import type { HttpSetup, VersionedCredentials } from './setup.ts';

/**
 * The client that capabilities work with. A request of theirs goes through: address check, credentials, circuit breaker,
 * limiters, the exchange itself, redirects, error table, one renewal of credentials, retries, schema.
 */
export function createHttpClient(setup: HttpSetup, limits?: ExchangeLimits): HttpClient {
  const hosts = setup.state.hostsOf(setup.provider);
  const path = setup.state.limiters.pathFor(setup.provider, setup.connection?.id);
  const sender: Sender = { setup, path, limits };
  return {
    async request<Output>(request: HttpRequest<Output>): Promise<Output> {
      const address = addressOf(setup.provider, hosts, setup.baseUrl, request.path);
      addQuery(address, request.query);
      throwIfAborted(setup.signal);
      try {
        return await check(setup, request, await runCall(sender, request, address));
      } catch (error) {
        throw inContext(setup, request, error);
      }
    },
  };
}

/** All attempts of one call. Credentials are renewed once at most, however many attempts there are. */
async function runCall(sender: Sender, request: HttpRequest<unknown>, address: URL): Promise<unknown> {
  const { setup } = sender;
  const { authoriser, signal } = setup;
  /** The vault has retried by itself: what it throws is not tried again. */
  const ofTheVault = new WeakSet<object>();
  let attempt = 0;
  let isRenewed = false;

  async function authorised<Result>(work: Promise<Result> | undefined): Promise<Result | undefined> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof Error) ofTheVault.add(error);
      throw error;
    }
  }

  async function attemptWith(credentials: VersionedCredentials | undefined): Promise<unknown> {
    attempt += 1;
    return await follow(sender, request, address, credentials, attempt);
  }

  async function attemptAuthorised(): Promise<unknown> {
    const credentials = await authorised(authoriser?.current(signal));
    try {
      return await attemptWith(credentials);
    } catch (error) {
      if (!credentials || isRenewed || !McaError.isInstance(error) || error.code !== 'auth_expired') throw error;
      isRenewed = true;
      // Also for a POST: what was refused for its credentials was not carried out.
      return await attemptWith(await authorised(authoriser?.renew(credentials, signal, error)));
    }
  }

  if (request.method === 'POST' && !request.idempotent) return await attemptAuthorised().catch(asUnrepeatable);
  return await retrying(setup, attemptAuthorised, (error) => ofTheVault.has(error));
}

/** One attempt with all the redirects it meets. */
async function follow(
  sender: Sender,
  request: HttpRequest<unknown>,
  address: URL,
  credentials: VersionedCredentials | undefined,
  attempt: number,
): Promise<unknown> {
  let url = address;
  for (let hops = 0; ; hops += 1) {
    const wire = await ofProvider(() => buildRequest(url, request, sender.setup.authoriser, credentials));
    const answer = await send(sender, request, wire, attempt);
    if ('json' in answer) return answer.json;
    url = redirectTarget(wire, answer.location, hops);
  }
}

/** After a lost answer nobody knows whether a write was carried out: sending it again might do it twice. */
function asUnrepeatable(error: unknown): never {
  if (!McaError.isInstance(error) || error.code !== 'upstream' || error.reason === 'circuit_open') throw error;
  const { code, reason, message, provider, cause } = error;
  const hint = 'Whether the service carried it out is not known: look before sending it again.';
  throw new McaError({ code, reason, message, provider, cause, hint: error.hint ?? hint, retryable: false });
}

async function check<Output>(setup: HttpSetup, request: HttpRequest<Output>, json: unknown): Promise<Output> {
  const result = await ofProvider(() => request.schema['~standard'].validate(json));
  if (!result.issues) return result.value;
  const places = result.issues.slice(0, 3).map(({ path }) => placeOf(path));
  throw new McaError({
    code: 'invalid_data',
    reason: 'unexpected_answer',
    // Paths only: messages of schema libraries quote what they found.
    message: `${setup.provider.name} answered something unexpected, at ${places.join(', ')}.`,
  });
}

function placeOf(path: SchemaIssue['path']): string {
  const keys = (path ?? []).map((each) => String(typeof each === 'object' ? each.key : each));
  // A key that is no plain name may be data: some answers are keyed by what a user typed.
  return keys.map((key) => (/^[\w-]{1,40}$/.test(key) ? key : '…')).join('.') || 'its top';
}

/** Runs what a provider brought: signing, a body that has to become JSON, a schema. */
async function ofProvider<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (McaError.isInstance(error)) throw error;
    throw new McaError({
      code: 'plugin',
      reason: 'provider_threw',
      // Its name only: its text may quote what it worked on.
      message: `the provider itself threw ${error instanceof Error ? error.name : typeof error}.`,
    });
  }
}

const WRONG_PLACE = ['network', 'timeout', 'not_json', 'unexpected_answer'];
const CHECK_ADDRESS =
  'Check the address, with its port and path; that the server can be reached; and that no log-in page stands in front of it.';

/** Says whose request it was and what for. Errors of below know only the host. */
function inContext(setup: HttpSetup, request: HttpRequest<unknown>, error: unknown): unknown {
  if (!McaError.isInstance(error) || error.provider !== undefined || error.code === 'cancelled') return error;
  const { code, reason, retryable, retryAfterMs, cause } = error;
  // A server of the user's own: mostly it is the address that is wrong, or what stands in front of it.
  const isTheirs = setup.guardedFetch !== undefined && WRONG_PLACE.includes(reason ?? '');
  const hint = error.hint ?? (isTheirs ? CHECK_ADDRESS : undefined);
  const message = `"${request.operation}" of ${setup.provider.name} failed: ${error.message}`;
  return new McaError({ code, reason, hint, retryable, retryAfterMs, cause, message, provider: setup.provider.id });
}
