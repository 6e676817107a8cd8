import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import { WORKER_ENV } from './worker-env.ts';

/** Processes of a test that are talked to by messages. */
export interface Workers {
  readonly all: readonly ChildProcess[];
  /** Starts one; `ready` is its first message. */
  start(file: string, args: readonly string[], options?: ForkOptions): ChildProcess;
  /** Tells all of them the same and answers what each of them says. */
  ask<Answer>(message: unknown): Promise<readonly Answer[]>;
  /** Kills those that still run. */
  stop(): Promise<void>;
}

export function workers(): Workers {
  const all: ChildProcess[] = [];
  return {
    all,
    start(file, args, options = {}) {
      const execArgv = ['--conditions=@mca/source', '--no-warnings'];
      const child = fork(file, args, {
        execArgv,
        env: WORKER_ENV,
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        ...options,
      });
      all.push(child);
      return child;
    },
    async ask<Answer>(message: unknown) {
      const answers = all.map((child) => answer<Answer>(child));
      for (const child of all) child.send(message as string);
      return Promise.all(answers);
    },
    async stop() {
      const running = all.splice(0).filter((child) => child.exitCode === null && child.signalCode === null);
      await Promise.all(
        running.map((child) => {
          child.kill('SIGKILL');
          return once(child, 'exit');
        }),
      );
    },
  };
}

/** The next message of a process; its death is a failure, not a wait without end. */
export function answer<Answer>(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`A worker ended with ${code}.`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as Answer);
    });
  });
}
