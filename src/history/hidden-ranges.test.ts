import { createRegistry, importFile, queryItems, summarise, topGroups } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { spotify } from '@mca/core/providers/spotify';
import { expect, test } from 'vitest';
import { accountData, history, play, plays } from '../../test/support/spotify-rows.ts';

test('with long silences between many stretches nothing counts twice and nothing is hidden by mistake', async () => {
  const userId = 'ana';
  const registry = createRegistry({ providers: [spotify()], ...memory() });
  const at = (index: number, hours: number) =>
    new Date(Date.UTC(2021, 0, 1) + index * 9 * 86_400_000 + hours * 3_600_000).toISOString().replace('.000Z', 'Z');
  const rows = (name: string, hours: number) =>
    Array.from({ length: 150 }, (_, index) =>
      play(index, { ts: at(index, hours), master_metadata_track_name: `${name} ${index}` }),
    );
  const [told, untold] = [rows('told', 0), rows('untold', 96)];
  await importFile(registry, { userId, file: accountData([...told, ...untold]) });
  await importFile(registry, { userId, file: history(told) });
  expect((await summarise(registry, { userId })).items).toBe(300);
  expect(await topGroups(registry, { userId, by: 'source' })).toMatchObject([{ items: 150 }, { items: 150 }]);
});

test('to the second, a finer source hides what it has itself, and nothing that only the other one knows', async () => {
  const userId = 'ana';
  const registry = createRegistry({
    providers: [spotify({ clientId: 'app' })],
    ...memory(),
    insecurePlaintextForTests: true,
  });
  await importFile(registry, { userId, file: history(plays(0, 100)) });
  const { items } = await queryItems(registry, { userId, limit: 100 });
  const [twin, neighbour] = items.slice(40, 42);
  const { storage } = registry;
  const { id } = await storage.ensureConnection({ id: 'live', userId, provider: 'spotify', kind: 'api', account: '' });
  const lease = await storage.acquireLease({ resource: `sync:${id}:history`, owner: 'me', ttlMs: 60_000 });
  if (!lease || !twin || !neighbour) throw new Error('The history was not stored.');
  const live = { source: 'recently-played', contentId: 'x' } as const;
  const onlyHere = new Date((twin.consumedAt.getTime() + neighbour.consumedAt.getTime()) / 2);
  await storage.commitPage({
    lease,
    connectionId: id,
    policy: 'replace',
    items: [
      { ...twin, ...live, externalId: 'twin' },
      { ...twin, ...live, externalId: 'only-here', title: 'Heard here only', consumedAt: onlyHere },
    ],
  });
  expect((await summarise(registry, { userId, resolve: 'all' })).items).toBe(102);
  expect((await summarise(registry, { userId })).items).toBe(101);
  expect((await queryItems(registry, { userId, text: 'here only' })).items).toHaveLength(1);
});
