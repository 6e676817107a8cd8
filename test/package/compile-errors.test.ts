import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A host that asks for what its providers cannot do, line by line. */
const host = `import { createRegistry, importFile, type ProviderIdWith, type Registry, syncHistory, syncRatings } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { lastfm } from '@mca/core/providers/lastfm';
import { netflix } from '@mca/core/providers/netflix';
import { simkl } from '@mca/core/providers/simkl';
import { trakt } from '@mca/core/providers/trakt';
const files = createRegistry({ providers: [netflix()], ...memory() });
const both = createRegistry({ providers: [netflix(), lastfm({ apiKey: 'k' })], ...memory(), insecurePlaintextForTests: true });
await syncHistory(files, { userId: 'ana', provider: 'netflix' });
await syncHistory(both, { userId: 'ana', provider: 'netflix' });
await importFile(both, { userId: 'ana', provider: 'lastfm', file: 'x' });
await importFile(both, { userId: 'ana', provider: 'netflixx', file: 'x' });
// What may be asked for one thing may be asked for another, where all providers can do both.
const lists = createRegistry({ providers: [trakt({ clientId: 'x' }), simkl({ clientId: 'x', appName: 'a' })], ...memory(), insecurePlaintextForTests: true });
type Lists = typeof lists extends Registry<infer P> ? P : never;
export async function all(userId: string, provider: ProviderIdWith<Lists, 'history'>) {
  await syncHistory(lists, { userId, provider });
  await syncRatings(lists, { userId, provider });
}
`;

test('what the compiler refuses it names: the provider, and the capability that is missing', () => {
  const folder = join(root, '.tmp/compile-errors');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'host.ts'), host);
  const settings = {
    extends: '../../tsconfig.json',
    compilerOptions: { rootDir: '../..' },
    include: ['*.ts'],
    exclude: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
    const said = stdout.split('\n').filter((line) => line.includes('host.ts('));
    expect(said.map((line) => Number(/host\.ts\((\d+)/.exec(line)?.[1]))).toEqual([9, 10, 11, 12]);
    expect(said[0]).toMatch(/is not assignable to type 'ProviderIdWith<.*"netflix".*, "history">/);
    expect(said[1]).toMatch(/"netflix"' is not assignable to type 'ProviderIdWith<.*, "history">/);
    expect(said[2]).toMatch(/"lastfm"' is not assignable to type 'ProviderIdWith<.*, "fileImport">/);
    expect(said[3]).toMatch(/Did you mean '"netflix"'/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
