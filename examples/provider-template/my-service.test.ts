import { readFileSync } from 'node:fs';
import { createRegistry, importFile, McaError } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { fileImportConformance, fileOf } from '@mca/core/testing';
import { expect, test } from 'vitest';
import { myService } from './index.ts';

const export2024 = readFileSync(new URL('./__fixtures__/plays.csv', import.meta.url), 'utf8');
const [header = '', ...rows] = export2024.trim().split('\n');
const file = (...lines: string[]) => ({ name: 'plays.csv', content: [header, ...lines, ''].join('\n') });

// The suite proves every promise of the contract; see its doc comment for what it needs.
const suite = fileImportConformance({
  provider: myService(),
  exports: [{ name: 'plays.csv', content: export2024 }],
  withBadRecord: {
    ...file(...rows, 'yesterday,Quiet Harbour,Falling in Lisbon,212,Phone of Ana'),
    badValue: 'yesterday',
  },
  overlapping: [file(...rows.slice(0, 3)), file(...rows.slice(2))],
  personal: ['Phone of Ana'],
});
for (const { id, title, run } of suite) test(`${id} ${title}`, run);

// What only you know about the service is tested by you.
test('advertisements are skipped unless the host wants them', async () => {
  const registry = createRegistry({ providers: [myService()], ...memory() });
  const source = fileOf('plays.csv', export2024);
  expect((await importFile(registry, { userId: 'ana', file: source })).skipped).toEqual({ ad: 1 });
  const all = await importFile(registry, {
    userId: 'rui',
    provider: 'my-service',
    file: source,
    options: { skip: { ads: false } },
  });
  expect(all.counts).toMatchObject({ read: 4, inserted: 4 });
});

test('a foreign file is refused with a hint', async () => {
  const registry = createRegistry({ providers: [myService()], ...memory() });
  const promise = importFile(registry, { userId: 'ana', provider: 'my-service', file: fileOf('x.csv', 'a,b\n1,2\n') });
  await expect(promise).rejects.toSatisfy(
    (error) => McaError.isInstance(error) && error.reason === 'unknown_format' && error.hint !== undefined,
  );
});
