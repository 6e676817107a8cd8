import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DatabaseSync } from 'node:sqlite';
import { createRegistry, keyRing, type McaError, type McaEvent, type Registry, startScheduler } from '@mca/core';
import { guardedNetwork } from '@mca/core/adapters/guarded-network';
import { createApp } from './app.ts';
import { type DemoService, startDemoService } from './demo/demo-service.ts';
import { providersFor } from './providers.ts';
import { failureView } from './routes/failure.ts';
import { isLoopback, type Settings } from './settings.ts';
import { describeDatabase, openStorage } from './storage.ts';
import { Jobs } from './web/jobs.ts';
import { Sessions } from './web/session.ts';
import { Turns } from './web/turns.ts';
import { openUploadFolder } from './web/upload-folder.ts';

/** The app, running. */
export interface Running {
  readonly url: string;
  /** Where it listens: behind a proxy that is another address. */
  readonly listening: string;
  readonly registry: Registry;
  /** The file's own handle, where it is SQLite. */
  readonly database: DatabaseSync | undefined;
  readonly demo: DemoService | undefined;
  close(): Promise<void>;
}

/** What tests set besides the settings. */
export interface StartOptions {
  readonly log?: ((line: string) => void) | undefined;
  /** What a page of the demo service takes, in milliseconds. */
  readonly demoPageMs?: number | undefined;
  /** For how long nothing of an upload may come, in milliseconds. @default a minute */
  readonly uploadIdleMs?: number | undefined;
  /** How many uploads there may be at a time. @default 8 */
  readonly uploadsAtOnce?: number | undefined;
}

/** Puts everything together, on the loopback interface. */
export async function start(
  settings: Settings,
  { log = console.log, demoPageMs, uploadIdleMs = 60_000, uploadsAtOnce = 8 }: StartOptions = {},
): Promise<Running> {
  // Big files on slow lines take longer than Node's five minutes: bodies have limits of their own.
  const server = createServer({ requestTimeout: 0, headersTimeout: 60_000 });
  await new Promise<void>((done, fail) => {
    server.once('error', fail).listen(settings.port, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo;
  const baseUrl = settings.baseUrl ?? `http://127.0.0.1:${port}`;
  const demo = settings.demo ? await startDemoService({ appUrl: baseUrl, pageMs: demoPageMs }) : undefined;

  const store = await openStorage(settings.database, log);
  const registry = createRegistry({
    providers: providersFor(settings.env, baseUrl, demo?.url),
    ...store.adapter,
    // Addresses that users type in lead to public servers, and to what the operator allows.
    ...guardedNetwork({ allow: settings.ownNetworks }),
    keys: keyRing({ primary: 'k1', keys: { k1: settings.key } }),
    onEvent: (event) => tell(event, log),
  });
  await registry.ready();
  if (settings.scheduler) startScheduler(registry);

  const jobs = new Jobs((error, about) => failureView(error, log, about === 'import' ? 'import' : 'sync'));
  const secret = createHmac('sha256', settings.key).update('sessions of the Express example').digest('hex');
  const sessions = new Sessions(secret, baseUrl.startsWith('https:'));
  const uploads = await openUploadFolder();
  const { timeZone, uploadBytes } = settings;
  const upload = { folder: uploads.path, mostBytes: uploadBytes, idleMs: uploadIdleMs, atOnce: uploadsAtOnce };
  const turns = new Turns();
  const demoUrl = demo?.url;
  server.on('request', createApp({ registry, sessions, jobs, turns, baseUrl, demoUrl, timeZone, upload, log }));

  return {
    url: baseUrl,
    listening: `http://127.0.0.1:${port}`,
    registry,
    database: store.database,
    demo,
    async close() {
      const closed = new Promise((done) => server.close(done));
      await registry.close();
      await jobs.close();
      server.closeAllConnections();
      await closed;
      await uploads.remove();
      await demo?.close();
      await store.close();
    },
  };
}

/** What is said when it runs. */
export function greeting({ url, demo }: Pick<Running, 'url' | 'demo'>, { database }: Settings): readonly string[] {
  return [
    `Open ${url}  (Ctrl+C ends it; the history stays in ${describeDatabase(database)})`,
    ...(demo ? [`The demo service is at ${demo.url}`] : []),
    ...(isLoopback(url) ? [] : ['The demo service is off: BASE_URL is not on this machine.']),
  ];
}

/** Why it does not run, in one line. */
export function startFailure(error: unknown): string {
  const { code, port } = (error ?? {}) as { readonly code?: unknown; readonly port?: unknown };
  if (code === 'EADDRINUSE') return `Port ${port} is in use: end what listens there, or set PORT to another one.`;
  if (code === 'EACCES' && port !== undefined) return `Port ${port} may not be used: set PORT to another one.`;
  const { message, hint } = (error ?? {}) as Partial<McaError>;
  return [message || code, hint].filter(Boolean).join(' ').replace(/\s+/g, ' ') || 'It does not start.';
}

/** Where your mails and your monitoring begin. Events hold no secret and no title. */
function tell(event: McaEvent, log: (line: string) => void): void {
  if (event.type === 'reauth_required') log(`${event.provider}: a user has to connect again (${event.reason})`);
  if (event.type === 'reauth_due') log(`${event.provider}: a consent ends in ${event.daysLeft} days`);
  if (event.type === 'circuit_opened') log(`${event.provider}: left alone for a while`);
}
