import type { RateLimiter, RateLimiterFactory } from '../../contracts/rate-limiter.ts';
import { cancelledBy } from '../sleep.ts';
import { StartWindow } from './start-window.ts';

/**
 * The default limiters, for one process.
 *
 * Bottleneck keeps the number of requests in flight; a window of our own keeps the rate. Bottleneck's reservoir lets up
 * to twice the number through around a refill, its `minTime` forbids the bursts that services allow, it cannot be paused,
 * and it waits by the machine's clock only.
 */
export function bottleneckLimiters(): RateLimiterFactory {
  return {
    create({ limit, env }): RateLimiter {
      const window = new StartWindow(env, limit);
      const places = placesFor(limit.concurrency);
      let load = 0;

      return {
        pause: (ms) => window.pause(ms),
        get load() {
          return load;
        },
        get freeAt() {
          return env.clock.now() + window.waitMs;
        },
        run(work, signal) {
          return new Promise((resolve, reject) => {
            if (signal.aborted) {
              reject(cancelledBy(signal));
              return;
            }
            let isCalledOff = false;
            let leaveWindow = (): void => {};
            let freePlace = (): void => {};
            const onAbort = (): void => {
              isCalledOff = true;
              leaveWindow();
              end();
              reject(cancelledBy(signal));
            };
            const end = (): void => {
              load -= 1;
              freePlace();
            };
            load += 1;
            signal.addEventListener('abort', onAbort, { once: true });

            function takeTurn(free: () => void): void {
              if (isCalledOff) {
                free();
                return;
              }
              freePlace = free;
              leaveWindow = window.enter(() => {
                // From here the signal is the work's own business.
                signal.removeEventListener('abort', onAbort);
                start(work).finally(end).then(resolve, reject);
              });
            }
            if (places) places(takeTurn).catch(reject);
            else takeTurn(() => {});
          });
        },
      };
    },
  };
}

/** Calls jobs in order, so many at once; each says when its place is free. `undefined` when any number may run. */
function placesFor(concurrency: number | undefined): ((job: (free: () => void) => void) => Promise<void>) | undefined {
  if (concurrency === undefined) return undefined;
  const loading = import('bottleneck').then(
    ({ default: Bottleneck }) => new Bottleneck({ maxConcurrent: concurrency }),
  );
  loading.catch(() => {});
  return async (job) => (await loading).schedule(() => new Promise<void>((free) => job(free)));
}

/** A failure before the first `await` of the work is a failure of the work too. */
async function start<Result>(work: () => Promise<Result>): Promise<Result> {
  return await work();
}
