import { request as send } from 'node:http';
import { readSettings } from './settings.ts';
import { type Running, type StartOptions, start } from './start.ts';

/** The app on a random port, with a database in memory and a demo service that does not wait. */
export async function startForTest(
  given: Readonly<Record<string, string>> = {},
  lines: string[] = [],
  demoPageMs = 0,
  options: StartOptions = {},
): Promise<Running> {
  const settings = readSettings({ PORT: '0', DATABASE: ':memory:', TIME_ZONE: 'UTC', ...given });
  return await start(settings, { log: (line) => void lines.push(line), demoPageMs, ...options });
}

/** What a browser is to a server: cookies, the origin of forms, and the token of the page. */
export class FakeBrowser {
  readonly #url: string;
  cookie = '';

  constructor(url: string) {
    this.#url = url;
  }

  async get(path: string): Promise<Response> {
    const answer = await fetch(new URL(path, this.#url), { headers: { cookie: this.cookie }, redirect: 'manual' });
    this.#keep(answer);
    return answer;
  }

  async text(path: string): Promise<string> {
    return await (await this.get(path)).text();
  }

  /** The token that the pages of this session hold. */
  async csrf(): Promise<string> {
    return /name="csrf" content="([^"]+)"/.exec(await this.text('/'))?.[1] ?? '';
  }

  /** Sends a form as pages of the app do; `headers` and `fields` overrule. */
  async post(path: string, fields: Readonly<Record<string, string>> = {}, headers: object = {}): Promise<Response> {
    const body = new URLSearchParams({ csrf: await this.csrf(), ...fields });
    return await this.#send(path, body, headers);
  }

  /** Uploads a file as the form does. */
  async upload(bytes: Uint8Array, name: string, fields: Readonly<Record<string, string>> = {}): Promise<Response> {
    return await this.uploadAll([[name, bytes]], fields);
  }

  /** Uploads several files, as the form does. */
  async uploadAll(
    files: readonly (readonly [name: string, bytes: Uint8Array])[],
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const form = new FormData();
    form.set('csrf', await this.csrf());
    for (const [field, value] of Object.entries(fields)) form.set(field, value);
    for (const [name, bytes] of files) form.append('file', new Blob([new Uint8Array(bytes)]), name);
    return await this.#send('/import', form, {});
  }

  /** Connects the demo service: agrees on its page, and comes back. Answers where the browser is sent in the end. */
  async connect(query = ''): Promise<string> {
    if (!this.cookie) await this.get('/');
    const begun = await this.get(`/connect/songbook${query}`);
    const back = await agree(begun.headers.get('location') ?? '');
    return (await this.get(back)).headers.get('location') ?? '';
  }

  /** Events of the user's jobs, or of one of them, to the end of all. */
  async events(job?: string): Promise<readonly JobEvent[]> {
    const told = [...(await this.text('/jobs/events')).matchAll(/id: (\d+)\nevent: (\w+)\ndata: (.*)\n\n/g)];
    return told
      .map(([, id, name = '', data = '']) => ({ id: Number(id), name, view: JSON.parse(data) as Told }))
      .filter(({ view }) => job === undefined || view.job === job);
  }

  async #send(path: string, body: BodyInit, headers: object): Promise<Response> {
    const url = new URL(path, this.#url);
    const answer = await fetch(url, {
      method: 'POST',
      headers: { cookie: this.cookie, origin: url.origin, ...headers },
      body,
      redirect: 'manual',
    });
    this.#keep(answer);
    return answer;
  }

  #keep(answer: Response): void {
    for (const cookie of answer.headers.getSetCookie()) this.cookie = cookie.split(';')[0] ?? '';
  }
}

/** A server-sent event. */
export interface JobEvent {
  readonly id: number;
  readonly name: string;
  readonly view: Told;
}

/** What a job tells. */
export interface Told {
  readonly job: string;
  readonly text: string;
  readonly done: number;
  readonly total?: number;
  readonly outcome?: string;
}

/** Agrees on the page of the demo service; answers where it sends the browser back to. */
export async function agree(consent: string, answer = 'agree'): Promise<string> {
  const response = await fetch(consent, {
    method: 'POST',
    headers: { origin: new URL(consent).origin },
    body: new URLSearchParams({ answer }),
    redirect: 'manual',
  });
  return response.headers.get('location') ?? '';
}

/** A request whose headers and path `fetch` would not let us choose. */
export function rawGet(url: string, headers: Readonly<Record<string, string>>, path = '/'): Promise<number> {
  return new Promise((done, fail) => {
    const request = send(url, { headers, path }, (answer) => {
      answer.resume();
      done(answer.statusCode ?? 0);
    });
    request.once('error', fail).end();
  });
}

/** The job that a page shows under way; empty when nothing runs. */
export const jobOn = async (who: FakeBrowser, page: string): Promise<string> =>
  /data-job="([^"]+)"/.exec(await who.text(page))?.[1] ?? '';

export async function connectionId(who: FakeBrowser): Promise<string> {
  return /id="connection-([^"]+)"/.exec(await who.text('/'))?.[1] ?? '';
}

/** The user of a connection, or the only one. */
export async function userOf(of: Running, id?: string): Promise<string> {
  const connections = await of.registry.storage.listConnections(id === undefined ? {} : { id });
  return connections[0]?.userId ?? '';
}

/** Waits for an import to end; answers the page as it is then. */
export async function imported(who: FakeBrowser): Promise<string> {
  await who.events();
  return await who.text('/import');
}

/** An export of Netflix with a title of choice. */
export const exportOf = (title: string): Uint8Array =>
  Buffer.from(`Title,Date\n"${title.replaceAll('"', '""')}","2024-05-01"\n"Sand Hill","2024-05-17"\n`);
