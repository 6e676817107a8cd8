import { memory } from '@mca/core/adapters/memory';
import { fakeClock } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { HOUR, liveSetup, playsBefore, START } from '../../test/support/live-setup.ts';
import { recordFigure } from '../../test/support/reliability.ts';

const MINUTE = 60_000;

/** A store whose clock is ahead of the machine's, or behind it. */
async function setup(aheadMs: number) {
  const time = fakeClock(START);
  const adapter = memory({ clock: { now: () => time.clock.now() + aheadMs } });
  const rig = await liveSetup({ time, adapter });
  rig.service.add('ada', ...playsBefore(START, 3));
  const claim = () =>
    rig.registry.storage
      .listDue({ providers: ['fake'], limit: 10 })
      .then((due) => due.map(({ capability }) => capability));
  return { ...rig, claim };
}

describe.each([0, 10 * MINUTE, -10 * MINUTE])('a store whose clock is %d ms ahead of ours', (aheadMs) => {
  test('R-082 a wait the service asked for lasts as long, by the one clock that all machines share', async () => {
    const { sync, service, time, claim } = await setup(aheadMs);
    service.failNext(new Response('', { status: 429, headers: { 'retry-after': '120' } }));
    expect(await sync()).toMatchObject({ reason: 'rate_limited', notBefore: new Date(START + 2 * MINUTE) });
    const asked = service.ledger.length;
    for (let passed = 0; passed < 110_000; passed += 10_000) {
      expect(await claim()).toEqual([]);
      expect(await sync()).toMatchObject({ reason: 'not_yet', notBefore: new Date(START + 2 * MINUTE) });
      await time.advance(10_000);
    }
    expect(service.ledger).toHaveLength(asked);
    await time.advance(15_000);
    expect(await claim()).toEqual(['history']);
    expect(await sync()).toMatchObject({ status: 'complete', counts: { inserted: 3 } });
    recordFigure(
      'R-082',
      `a clock ${Math.abs(aheadMs) / MINUTE} minutes off: asked 11 times within the wait, 0 early requests`,
    );
  });

  test('the next turn comes after the interval, not before it and not much later', async () => {
    const { sync, time, claim } = await setup(aheadMs);
    await sync();
    await time.advance(HOUR - MINUTE);
    expect(await claim()).toEqual([]);
    await time.advance(2 * MINUTE);
    expect(await claim()).toEqual(['history']);
  });
});
