import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fetch } from '../contracts/env.ts';
import { McaError } from '../contracts/errors.ts';
import { type Scrub, scrubber } from './cassette-scrub.ts';
import { standingStill } from './native-work.ts';

/** What a {@link cassette} leaves out of its file, besides what it knows by name. */
export interface CassetteScrub {
  /** Values that must not be in the file: the account's name, its address, tokens. At least four characters each. */
  readonly values?: readonly string[] | undefined;
  /** Further names of parameters and fields that hold secrets. */
  readonly names?: readonly string[] | undefined;
  /** Names that sound like secrets and are none, such as `next_page_token`. */
  readonly keep?: readonly string[] | undefined;
}

/** Options of {@link cassette}. */
export interface CassetteOptions {
  /**
   * - `replay` answers from the file, and asks nobody
   * - `record` asks the service, and `save` writes a new file
   * - `auto` replays when there is a file, and records when there is none; where `CI` is set it only replays
   */
  readonly mode: 'replay' | 'record' | 'auto';
  /** The service, for recording. @default the runtime's `fetch` */
  readonly fetch?: Fetch | undefined;
  readonly scrub?: CassetteScrub | undefined;
}

/** A recorded conversation with a service. */
export interface Cassette {
  /** Stands in for the service: hand it to `env.fetch` or `providerContext`. */
  readonly fetch: Fetch;
  /** What was recorded and not asked for so far, one line each. Empty at the end of a good test. */
  readonly left: readonly string[];
  /**
   * Writes what was recorded; does nothing after a replay.
   *
   * @throws McaError `configuration` `secret_in_cassette` when a secret would be in the file; nothing is written then
   */
  save(): Promise<void>;
}

interface Exchange {
  readonly method: string;
  /** Without the host, which may be the author's own. */
  readonly path: string;
  /** `name=value`, sorted. */
  readonly query: readonly string[];
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** One of these, or none for an empty body. */
  readonly json?: unknown;
  readonly text?: string;
  readonly base64?: string;
}

/** Headers that decide what a client does. Not `date`: a replay has the time of its test. */
const KEPT_HEADERS = /^(?:content-type|retry-after|link|location|(?:x-)?ratelimit-[\w-]+)$/;

/**
 * Records what a service answers, and answers so again: for tests of a provider against real answers, without a network.
 *
 * The file is JSON, one entry per exchange, made to be read before it is committed. Left out are request headers, values
 * of parameters and fields whose names mean a secret, and every such value wherever else it stands. A request is answered
 * by the first exchange not used yet with the same method, path and query, secrets apart.
 *
 * @param path of the file, or its URL
 * @throws McaError `configuration` `cassette_missing` from `fetch` when there is no file to replay, `cassette_mismatch`
 *   when nothing in it answers the request
 * @example
 * ```ts
 * const tape = cassette(new URL('./__fixtures__/walk.json', import.meta.url), { mode: 'auto', scrub: { values: ['ana'] } });
 * const context = providerContext({ provider, fetch: tape.fetch, now: Date.UTC(2026, 0, 10), credentials });
 * await provider.capabilities.history.fetchPage(context, { cursor: undefined, limit: 50, … });
 * await tape.save();
 * ```
 */
export function cassette(path: string | URL, options: CassetteOptions): Cassette {
  const { mode, fetch: service = globalThis.fetch } = options;
  const scrub = scrubber(options.scrub ?? {});
  const recorded: Recorded[] = [];
  let replayed: Exchange[] = [];
  let recording: boolean | undefined;

  /** Whether the cassette records; reads the file the first time. At once: a fake clock must not see a pause. */
  function isRecording(): boolean {
    if (recording !== undefined) return recording;
    const found = mode === 'record' ? undefined : readExchanges(path);
    if (mode !== 'record' && !found && (mode === 'replay' || process.env.CI)) throw missing(path);
    replayed = [...(found ?? [])];
    recording = !found;
    return recording;
  }

  async function record(request: Request): Promise<Response> {
    scrub.learn(request, await request.clone().text());
    const answer = await service(request);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const { status, headers } = answer;
    recorded.push({ method: request.method, url: new URL(request.url), status, headers, bytes });
    scrub.learnAnswer(textOf(bytes));
    return rebuilt(status, headers, bytes);
  }

  return {
    async fetch(input, init) {
      const request = new Request(input, init);
      request.signal.throwIfAborted();
      return isRecording() ? standingStill(() => record(request)) : replay(request, replayed, scrub);
    },
    get left() {
      return replayed.map(nameOf);
    },
    async save() {
      if (recorded.length === 0) return;
      // Scrubbed at the end: a value may be learnt from the last exchange and stand in the first.
      const exchanges = recorded.map((each) => exchangeOf(each, scrub));
      const text = `${JSON.stringify({ version: 1, exchanges }, undefined, 2)}\n`;
      scrub.assertClean(text);
      const target = path instanceof URL ? fileURLToPath(path) : path;
      await mkdir(dirname(target), { recursive: true });
      await writeFile(`${target}.part`, text);
      await rename(`${target}.part`, target);
    },
  };
}

interface Recorded {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function exchangeOf({ method, url, status, headers, bytes }: Recorded, scrub: Scrub): Exchange {
  const kept = [...headers].filter(([name]) => KEPT_HEADERS.test(name));
  return {
    ...requestOf(method, url, scrub),
    status,
    headers: Object.fromEntries(kept.map(([name, value]) => [name, scrub.text(value)])),
    ...bodyOf(bytes, headers.get('content-type') ?? '', scrub),
  };
}

function requestOf(method: string, url: URL, scrub: Scrub): Pick<Exchange, 'method' | 'path' | 'query'> {
  const query = [...url.searchParams].map(([name, value]) => `${name}=${scrub.parameter(name, value)}`);
  return { method, path: scrub.leaf(url.pathname), query: query.sort() };
}

function bodyOf(bytes: Uint8Array, type: string, scrub: Scrub): Pick<Exchange, 'json' | 'text' | 'base64'> {
  if (bytes.length === 0) return {};
  const text = textOf(bytes);
  // Nothing can be taken out of it: `save` looks inside, and refuses.
  if (text === undefined) return { base64: Buffer.from(bytes).toString('base64') };
  // Read and written again, long numbers would lose digits: such a body stays the text it is.
  if (/json/i.test(type) && !/\d{16}/.test(text)) {
    try {
      return { json: scrub.json(JSON.parse(text)) };
    } catch {
      // Said to be JSON and is none: worth keeping exactly as it came.
    }
  }
  return { text: scrub.text(text) };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function replay(request: Request, replayed: Exchange[], scrub: Scrub): Response {
  const asked = requestOf(request.method, new URL(request.url), scrub);
  const index = replayed.findIndex((each) => nameOf(each) === nameOf(asked));
  const [found] = index < 0 ? [] : replayed.splice(index, 1);
  if (!found) throw mismatch(asked, replayed);
  const { status, headers, json, text, base64 } = found;
  const body =
    json === undefined
      ? Buffer.from(base64 ?? text ?? '', base64 === undefined ? 'utf8' : 'base64')
      : Buffer.from(JSON.stringify(json));
  return rebuilt(status, new Headers(headers), new Uint8Array(body));
}

function rebuilt(status: number, headers: Headers, bytes: Uint8Array<ArrayBuffer>): Response {
  const shown = new Headers(headers);
  // What was read is decoded already.
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) shown.delete(name);
  const mayHaveBody = bytes.length > 0 && ![204, 205, 304].includes(status);
  return new Response(mayHaveBody ? bytes : null, { status, headers: shown });
}

function nameOf({ method, path, query }: Pick<Exchange, 'method' | 'path' | 'query'>): string {
  return `${method} ${path}${query.length > 0 ? `?${query.join('&')}` : ''}`;
}

function readExchanges(path: string | URL): readonly Exchange[] | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { version, exchanges } = JSON.parse(text) as { version: number; exchanges: readonly Exchange[] };
  if (version === 1) return exchanges;
  throw new McaError({
    code: 'configuration',
    reason: 'cassette_version',
    message: `The cassette has version ${version}; this release reads version 1.`,
    hint: 'Record it anew.',
  });
}

function missing(path: string | URL): McaError {
  return new McaError({
    code: 'configuration',
    reason: 'cassette_missing',
    message: `There is no cassette ${String(path)}.`,
    hint: "Record it once: mode 'record', with credentials of a test account, and save().",
  });
}

/** An error of ours, because whatever else a `fetch` throws is taken for a broken connection and tried again. */
function mismatch(asked: Pick<Exchange, 'method' | 'path' | 'query'>, left: readonly Exchange[]): McaError {
  const names = left.slice(0, 5).map(nameOf);
  const more = left.length > names.length ? ` and ${left.length - names.length} more` : '';
  return new McaError({
    code: 'configuration',
    reason: 'cassette_mismatch',
    message: `The cassette has no answer to ${nameOf(asked)}. Left are: ${names.join(', ') || 'none'}${more}.`,
    hint: 'Does the provider ask differently now, or the test at another time? If so, record the cassette anew.',
  });
}
