import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type AnyProvider, createRegistry, describeProvider, describeProviders } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folders = readdirSync(`${root}/providers`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const exampleOf = async (id: string): Promise<AnyProvider> =>
  ((await import(`../../providers/${id}/__fixtures__/example.ts`)) as { example: AnyProvider }).example;

test('docs/providers.md is what the providers declare', () => {
  const args = ['--conditions=@mca/source', '--no-warnings', 'scripts/provider-matrix.mjs', '--check'];
  execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
});

describe.each(folders)('%s', (id) => {
  test('is described as plain JSON, without a secret of the host', async () => {
    const description = describeProvider(await exampleOf(id));
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
    expect(JSON.stringify(description)).not.toMatch(/-of-the-host/);
    expect(description.id).toBe(id);
  });

  test('can be connected exactly when it says so', async () => {
    const example = await exampleOf(id);
    const { supportsAuth, connect, imports } = describeProvider(example);
    const ways = example.auth
      .map(({ type }) => type)
      .filter((type) => !['file-import', 'host-supplied'].includes(type));
    expect(supportsAuth).toBe(ways.length > 0);
    expect(connect.length + (imports ? 1 : 0)).toBeGreaterThan(0);
  });
});

test('a registry describes what is registered, in order', async () => {
  const registry = createRegistry({
    providers: await Promise.all(['spotify', 'netflix'].map(exampleOf)),
    ...memory(),
    insecurePlaintextForTests: true,
  });
  expect(describeProviders(registry)).toMatchObject([
    {
      id: 'spotify',
      supportsAuth: true,
      connect: [{ type: 'oauth2', scopes: expect.arrayContaining(['user-read-recently-played']) }],
      syncs: { history: { intervalMs: 1_800_000, backfill: false }, library: { intervalMs: 21_600_000 } },
      imports: { accept: ['.zip', '.json'] },
      policy: { noMachineLearning: true },
    },
    { id: 'netflix', supportsAuth: false, connect: [], syncs: {}, capabilities: ['fileImport'] },
  ]);
});
