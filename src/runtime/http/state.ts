import type { Env } from '../../contracts/env.ts';
import type { AnyProvider } from '../../contracts/provider.ts';
import type { RateLimiterFactory } from '../../contracts/rate-limiter.ts';
import { bottleneckLimiters } from './bottleneck-limiter.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { hostsOf } from './hosts.ts';
import { LimiterPool } from './limiter-pool.ts';
import { RetryQuota } from './retry-quota.ts';
import { ServiceClocks } from './service-clock.ts';

/** What HTTP clients of one registry share: limits, quotas, circuit breakers and the clocks of the services. */
export class HttpState {
  readonly limiters: LimiterPool;
  readonly quota: RetryQuota = new RetryQuota();
  readonly clocks: ServiceClocks;
  /** Of UTF-8; making one costs more than decoding an answer. */
  readonly decoder: TextDecoder = new TextDecoder();
  readonly #breakers = new Map<string, CircuitBreaker>();
  readonly #hosts = new WeakMap<AnyProvider, ReadonlySet<string>>();

  constructor(options: { readonly env: Env; readonly limiter?: RateLimiterFactory | undefined }) {
    this.limiters = new LimiterPool(options.env, options.limiter ?? bottleneckLimiters());
    this.clocks = new ServiceClocks(options.env.clock);
  }

  /** Every host a provider may call. Looked up once: each connection has a client of its own. */
  hostsOf(provider: AnyProvider): ReadonlySet<string> {
    const known = this.#hosts.get(provider);
    if (known) return known;
    const hosts = hostsOf(provider);
    this.#hosts.set(provider, hosts);
    return hosts;
  }

  /** The time at a host (`api.example.com`), epoch milliseconds; the machine's own as long as nothing better is known. */
  providerNow(host: string): number {
    return this.clocks.now(host);
  }

  breakerOf(providerId: string, host: string): CircuitBreaker {
    const key = `${providerId} ${host}`;
    let breaker = this.#breakers.get(key);
    if (!breaker) {
      // Users' own servers are many; healthy ones are forgotten.
      for (const [each, { isIdle }] of this.#breakers.size < 1_000 ? [] : this.#breakers) {
        if (isIdle) this.#breakers.delete(each);
      }
      breaker = new CircuitBreaker();
      this.#breakers.set(key, breaker);
    }
    return breaker;
  }

  /** Services of which hosts are left alone. Hosts are counted, not named: some are users' own. */
  openCircuits(): readonly { readonly provider: string; readonly openHosts: number }[] {
    const open = [...this.#breakers].filter(([, { isOpen }]) => isOpen).map(([key]) => key.slice(0, key.indexOf(' ')));
    return [...new Set(open)].map((provider) => ({
      provider,
      openHosts: open.filter((each) => each === provider).length,
    }));
  }

  /** Forgets everything. Holds no timers of its own. */
  close(): void {
    this.limiters.clear();
    this.quota.clear();
    this.clocks.clear();
    this.#breakers.clear();
  }
}
