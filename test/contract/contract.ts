import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { OpenAPIBackend } from 'openapi-backend';
import { parse } from 'yaml';

/** Folder with the descriptions that services publish of their APIs. They are not part of the project. */
const folder = process.env.MCA_API_SPECS;

/** Why contract tests cannot run here; `undefined` when they can. */
export const whyNot: string | undefined = folder
  ? undefined
  : 'MCA_API_SPECS is not set: it names a folder with API descriptions, such as spotify.openapi.yml.gz';

// Said once a file: a test that does not run must not pass for one that does.
if (whyNot !== undefined) console.warn(`Contract tests are skipped. ${whyNot}`);

/** What a service's own description says about requests and answers. */
export interface Contract {
  /** What is wrong with a request: nothing, when the list is empty. */
  faultsOf(request: Request): readonly string[];
  /** What is wrong with the body of an answer to a request. */
  faultsOfAnswer(request: Request, status: number, body: unknown): readonly string[];
  /** Scopes the description asks for; `undefined` where nobody has to be logged in. */
  scopesOf(request: Request): readonly string[] | undefined;
}

interface Parameters {
  /** File in the folder, with `.gz`: YAML or JSON. */
  readonly file: string;
  /** Where its server is: scheme, host and root path of every request. */
  readonly server: string;
  /** Off for descriptions that break the rules of OpenAPI here and there. @default true */
  readonly strict?: boolean;
  /** Whether a request that has to be is signed. @default by a bearer token */
  readonly isSigned?: (request: Request) => boolean;
  /** Query parameters that every request may have, whatever its operation lists. @default none */
  readonly commonQuery?: readonly string[];
}

/** Reads a description. */
export async function openContract({
  file,
  server,
  strict = true,
  isSigned = hasBearerToken,
  commonQuery = [],
}: Parameters): Promise<Contract> {
  const text = gunzipSync(await readFile(join(folder ?? '', file))).toString('utf8');
  const { origin, pathname } = new URL(server);
  const api = new OpenAPIBackend({
    definition: file.includes('.json') ? JSON.parse(text) : parse(text),
    apiRoot: pathname,
    strict,
    // Only what is asked for is compiled: these descriptions are large.
    ajvOpts: { strict: false, allErrors: true, validateFormats: false },
    quick: true,
  });
  await api.init();

  const requestOf = (request: Request) => {
    const url = new URL(request.url);
    const query = Object.fromEntries(
      [...new Set(url.searchParams.keys())]
        .filter((name) => !commonQuery.includes(name))
        .map((name) => {
          const values = url.searchParams.getAll(name);
          return [name, values.length > 1 ? values : (values[0] ?? '')] as const;
        }),
    );
    return {
      method: request.method.toLowerCase(),
      path: url.pathname,
      query,
      headers: Object.fromEntries(request.headers),
    };
  };
  const operationOf = (request: Request) =>
    new URL(request.url).origin === origin ? api.matchOperation(requestOf(request)) : undefined;
  const told = (errors: readonly { readonly instancePath: string; readonly message?: string }[] | null | undefined) =>
    (errors ?? []).map(({ instancePath, message = 'is wrong' }) => `${instancePath} ${message}`);
  const scopesOf: Contract['scopesOf'] = (request) => {
    const needed = operationOf(request)?.security ?? api.document.security ?? [];
    return needed.length === 0
      ? undefined
      : needed.flatMap((each: Readonly<Record<string, readonly string[]>>) => Object.values(each).flat());
  };

  return {
    scopesOf,
    faultsOf(request) {
      const operation = operationOf(request);
      if (!operation) return [`there is no ${request.method} ${new URL(request.url).pathname}`];
      const unproven = scopesOf(request) === undefined || isSigned(request) ? [] : ['the request is not signed'];
      return [...unproven, ...told(api.validateRequest(requestOf(request), operation).errors)];
    },
    faultsOfAnswer(request, status, body) {
      const operation = operationOf(request);
      if (!operation) return [`there is no ${request.method} ${new URL(request.url).pathname}`];
      if (!Object.hasOwn(operation.responses ?? {}, String(status))) return [`status ${status} is not described`];
      return told(api.validateResponse(body, operation, status).errors);
    },
  };
}

function hasBearerToken({ headers }: Request): boolean {
  return /^Bearer \S/.test(headers.get('authorization') ?? '');
}

/** A `fetch` that answers by `service` and collects what breaks the contract. */
export function watched(
  contract: Contract,
  service: typeof globalThis.fetch,
  /** What the description is about; other requests are let through. */
  isDescribed: (url: URL) => boolean = () => true,
): {
  readonly fetch: typeof globalThis.fetch;
  /** Path and query of each request. */
  readonly requests: readonly string[];
  /** Each fault once, whatever the place in a list. */
  readonly faults: readonly string[];
} {
  const requests: string[] = [];
  const faults = new Set<string>();
  const note = (fault: string): unknown => faults.add(fault.replaceAll(/\/\d+(?=[/ ])/g, '/*'));
  return {
    requests,
    get faults() {
      return [...faults];
    },
    async fetch(input, init) {
      const request = new Request(input, init);
      const url = new URL(request.url);
      if (!isDescribed(url)) return service(request);
      const { pathname, search } = url;
      requests.push(pathname + search);
      contract.faultsOf(request).forEach(note);
      const answer = await service(request);
      const body: unknown = await answer.clone().json();
      for (const fault of contract.faultsOfAnswer(request, answer.status, body)) note(`answer: ${fault}`);
      return answer;
    },
  };
}
