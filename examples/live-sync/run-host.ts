import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Services } from './services.ts';

const HERE = new URL('.', import.meta.url);

/** A host under way. */
export interface RunningHost {
  readonly process: ChildProcess;
  /** Its exit code, or `null` when it was killed, and what it printed unless that went to the terminal. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
}

/** Starts `host.ts` as a process of its own, in the time of its services. */
export function startHost(
  services: Services,
  options: { readonly database: string; readonly key: string; readonly connect?: boolean; readonly isShown?: boolean },
): RunningHost {
  const { database, key, connect = false, isShown = false } = options;
  const child = spawn(
    process.execPath,
    [
      '--conditions=@mca/source',
      '--disable-warning=ExperimentalWarning',
      `--import=${new URL('later.ts', HERE).href}`,
      fileURLToPath(new URL('host.ts', HERE)),
      ...(connect ? ['connect'] : []),
    ],
    {
      stdio: isShown ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        SONGBOOK_URL: services.url,
        DATABASE: database,
        MCA_KEY: key,
        CLOCK_AHEAD_MS: String(services.aheadMs),
      },
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  return { process: child, ended: new Promise((done) => child.on('close', (code) => done({ code, output }))) };
}

/** Kills the host with SIGKILL when the service is asked for its n-th page: in the middle, on any machine. */
export function killAtPage(services: Services, host: RunningHost, page: number): void {
  let asked = 0;
  services.service.intercept = (request) => {
    if (new URL(request.url).pathname.endsWith('/plays')) asked += 1;
    if (asked !== page) return undefined;
    services.service.intercept = undefined;
    host.process.kill('SIGKILL');
    return 'drop';
  };
}
