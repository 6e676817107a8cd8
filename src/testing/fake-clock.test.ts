import { describe, expect, test } from 'vitest';
import { fakeClock } from './fake-clock.ts';
import { type FetchFault, faultFetch } from './fault-fetch.ts';

describe('fakeClock', () => {
  test('fires timers in order, each at its instant, with promises settled in between', async () => {
    const { clock, timers, advance } = fakeClock(1_000);
    const seen: [string, number][] = [];
    const note = (name: string) => seen.push([name, clock.now()]);
    timers.after(20, () => note('late'));
    timers.after(10, () => {
      note('early');
      Promise.resolve().then(() => timers.after(5, () => note('after early')));
    });
    timers.after(10, () => note('early too'));
    timers.after(31, () => note('too late'));
    const takeBack = timers.after(12, () => note('taken back'));
    takeBack();
    await advance(30);
    expect(seen).toEqual([
      ['early', 1_010],
      ['early too', 1_010],
      ['after early', 1_015],
      ['late', 1_020],
    ]);
    expect(clock.now()).toBe(1_030);
  });

  test('lets as much time pass as work needs, and passes on how it ends', async () => {
    const time = fakeClock();
    const wait = (ms: number) => new Promise<void>((done) => time.timers.after(ms, done));
    expect(await time.until(wait(3_600_000).then(() => 'done'))).toBe('done');
    expect(time.clock.now()).toBe(3_600_000);
    expect(time.pending).toBe(0);
    await expect(time.until(wait(5).then(() => Promise.reject(new Error('no'))))).rejects.toThrow('no');
  });

  test('steps of the wall clock do not touch monotonic time or timers', async () => {
    const time = fakeClock(1_000);
    let fired = false;
    time.timers.after(10, () => {
      fired = true;
    });
    time.step(-500);
    expect(time.clock.now()).toBe(500);
    expect(time.clock.monotonic?.()).toBe(0);
    await time.advance(9);
    expect(fired).toBe(false);
    await time.advance(1);
    expect(fired).toBe(true);
  });

  test('refuses waits that no real timer can hold', () => {
    expect(() => fakeClock().timers.after(2 ** 31, () => {})).toThrow(RangeError);
    expect(() => fakeClock().timers.after(Number.NaN, () => {})).toThrow(RangeError);
  });
});

describe('faultFetch', () => {
  const inner = async (): Promise<Response> => new Response('0123456789');
  const all: readonly FetchFault[] = [
    'network_error',
    'lost_answer',
    'rate_limited',
    'server_error',
    'html',
    'truncated',
    'slow',
  ];

  async function outcome(fetch: typeof globalThis.fetch): Promise<string> {
    try {
      const answer = await fetch('https://service.test/');
      return `${answer.status} ${(await answer.text()).length}`;
    } catch (error) {
      return (error as Error).message;
    }
  }

  test('makes each fault as it is called', async () => {
    const expected: Record<FetchFault, string> = {
      network_error: 'fetch failed',
      lost_answer: 'fetch failed',
      rate_limited: '429 29',
      server_error: '500 20',
      html: '502 37',
      truncated: 'fetch failed',
      slow: '200 10',
    };
    for (const fault of all) {
      let served = 0;
      const counting = async (): Promise<Response> => {
        served += 1;
        return inner();
      };
      const fetch = faultFetch(counting, { seed: 1, faults: { [fault]: 1 }, slowMs: 1 });
      expect(await outcome(fetch), fault).toBe(expected[fault]);
      expect(fetch.injected[fault]).toBe(1);
      expect(served, fault).toBe(['lost_answer', 'truncated', 'slow'].includes(fault) ? 1 : 0);
    }
  });

  test('the same seed gives the same faults, in the shares asked for', async () => {
    const faults = Object.fromEntries(all.map((fault) => [fault, 0.1]));
    const run = async (seed: number): Promise<readonly [string[], number[]]> => {
      const fetch = faultFetch(inner, { seed, faults, slowMs: 0 });
      const outcomes: string[] = [];
      for (let index = 0; index < 300; index += 1) outcomes.push(await outcome(fetch));
      return [outcomes, Object.values(fetch.injected)];
    };
    const [first, counts] = await run(7);
    expect((await run(7))[0]).toEqual(first);
    expect((await run(8))[0]).not.toEqual(first);
    for (const count of counts) {
      expect(count).toBeGreaterThan(10);
      expect(count).toBeLessThan(60);
    }
  });
});
