import { createRegistry, importFile, summarise, topGroups } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { spotify } from '@mca/core/providers/spotify';
import { expect, test } from 'vitest';
import { accountData, history, play } from '../../test/support/spotify-rows.ts';

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
