import assert from 'node:assert/strict';
import type { ConformanceCase } from '../conformance-case.ts';
import { onDurableStore, onFreshStore, type Suite } from './under-test.ts';

/** Promises of `CredentialStore`. */
export function credentialCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'CRED-1', 'a put needs the version that is stored', async ({ credentials }) => {
      assert.equal(await credentials.put('c', 'never', 1), undefined);
      const first = await credentials.put('c', 'one', undefined);
      assert.ok(first);
      const second = await credentials.put('c', 'two', first.version);
      assert.ok(second && second.version > first.version);
      assert.deepEqual(await credentials.get('c'), { connectionId: 'c', version: second.version, sealed: 'two' });
    }),
    onFreshStore(suite, 'CRED-1', 'of many at once exactly one wins', async ({ credentials }) => {
      let version: number | undefined;
      for (const round of [1, 2, 3]) {
        const writers = Array.from({ length: 8 }, (_, index) => `writer ${index} of round ${round}`);
        const written = await Promise.all(writers.map((sealed) => credentials.put('c', sealed, version)));
        const winners = writers.filter((_, index) => written[index] !== undefined);
        assert.equal(winners.length, 1);
        const stored = await credentials.get('c');
        assert.equal(stored?.sealed, winners[0]);
        version = stored?.version;
      }
    }),
    onFreshStore(suite, 'CRED-2', 'a loser changes nothing', async ({ credentials }) => {
      const first = await credentials.put('c', 'one', undefined);
      const second = await credentials.put('c', 'two', first?.version);
      assert.equal(await credentials.put('c', 'stale', first?.version), undefined);
      assert.equal(await credentials.put('c', 'stale', undefined), undefined);
      assert.deepEqual(await credentials.get('c'), { connectionId: 'c', version: second?.version, sealed: 'two' });
      assert.equal(await credentials.get('other'), undefined);
    }),
    onFreshStore(suite, 'CRED-3', 'after delete nothing is left, and no old version fits', async ({ credentials }) => {
      const first = await credentials.put('c', 'one', undefined);
      await credentials.put('kept', 'kept', undefined);
      await credentials.delete('c');
      await credentials.delete('c');
      assert.equal(await credentials.get('c'), undefined);
      assert.deepEqual(
        (await credentials.list({ limit: 10 })).map(({ connectionId }) => connectionId),
        ['kept'],
      );
      assert.equal(await credentials.put('c', 'stale', first?.version), undefined);
      assert.ok(await credentials.put('c', 'new', undefined));
      assert.equal(await credentials.put('c', 'stale', first?.version), undefined, 'versions are not used again');
    }),
    onFreshStore(suite, 'CRED-4', 'list pages through all, each once', async ({ credentials }) => {
      const ids = Array.from({ length: 25 }, (_, index) => `connection ${(index * 7) % 25}`);
      for (const id of ids) await credentials.put(id, `sealed ${id}`, undefined);
      for (const limit of [1, 7, 25, 100]) {
        const seen: string[] = [];
        for (;;) {
          const page = await credentials.list({ after: seen.at(-1), limit });
          assert.ok(page.length <= limit);
          if (page.length === 0) break;
          assert.ok(seen.length < 25, 'the pages do not end');
          for (const { connectionId, sealed } of page) {
            assert.equal(sealed, `sealed ${connectionId}`);
            seen.push(connectionId);
          }
        }
        assert.equal(seen.length, 25);
        assert.deepEqual(new Set(seen), new Set(ids));
      }
    }),
    onDurableStore(
      suite,
      'CRED-5',
      'what was put is there after closing and opening again',
      async ({ credentials }) => {
        await credentials.put('c', 'mca1.key.ü😀', undefined);
      },
      async ({ credentials }) => {
        const stored = await credentials.get('c');
        assert.equal(stored?.sealed, 'mca1.key.ü😀');
        assert.ok(await credentials.put('c', 'next', stored?.version));
      },
    ),
  ];
}
