import { expect, test } from 'vitest';
import type { RateLimiterFactory } from '../../contracts/rate-limiter.ts';
import { limiterConformance } from '../../testing/limiter-conformance.ts';
import { bottleneckLimiters } from './bottleneck-limiter.ts';

for (const { id, title, run } of limiterConformance(() => bottleneckLimiters())) test(`${id} ${title}`, run);

/** Each breaks one promise; the cases have to notice. */
const broken: Readonly<Record<string, RateLimiterFactory>> = {
  'LIMIT-1': changed((request) => ({ ...request, limit: { ...request.limit, requests: request.limit.requests + 1 } })),
  'LIMIT-2': changed((request) => ({ ...request, limit: { ...request.limit, concurrency: 4 } })),
  'LIMIT-5': wrapped((limiter) => ({
    run: limiter.run,
    pause: () => {},
    get load() {
      return limiter.load;
    },
    get freeAt() {
      return limiter.freeAt;
    },
  })),
  'LIMIT-4': wrapped((limiter) => ({ ...limiter, run: (work) => limiter.run(work, new AbortController().signal) })),
  'LIMIT-6': wrapped((limiter) => ({
    ...limiter,
    run: (work, signal) => limiter.run(() => work().catch(() => undefined as never), signal),
  })),
};

for (const [id, factory] of Object.entries(broken)) {
  test(`a limiter that breaks ${id} is found out`, async () => {
    const cases = limiterConformance(() => factory).filter((each) => each.id === id);
    const ends = await Promise.allSettled(cases.map((each) => each.run()));
    expect(ends.some(({ status }) => status === 'rejected')).toBe(true);
  });
}

type Create = RateLimiterFactory['create'];

function changed(change: (request: Parameters<Create>[0]) => Parameters<Create>[0]): RateLimiterFactory {
  return { create: (request) => bottleneckLimiters().create(change(request)) };
}

function wrapped(wrap: (limiter: ReturnType<Create>) => ReturnType<Create>): RateLimiterFactory {
  return { create: (request) => wrap(bottleneckLimiters().create(request)) };
}
