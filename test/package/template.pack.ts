import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let clone: string;

/** A working copy without history, sharing the installed dependencies. */
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'mca-template-'));
  // What is new and not committed yet belongs to it as well.
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  const paths = listed.toString().split('\0').filter(Boolean);
  for (const path of paths.filter((each) => existsSync(join(root, each)))) cpSync(join(root, path), join(clone, path));
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
}, 60_000);
afterAll(() => rmSync(clone, { recursive: true, force: true }));

function run(...args: string[]): string {
  try {
    return execFileSync(process.execPath, args, {
      cwd: clone,
      encoding: 'utf8',
      env: { ...process.env, MCA_TEST_REPORTS: '' },
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${args.join(' ')} failed:\n${stdout}${stderr}`);
  }
}
const bin = (path: string): string => join(root, 'node_modules', path);

test('a provider is one folder: the template, copied and renamed, is tested, type-checked, built and exported with nothing else touched', () => {
  const folder = join(clone, 'providers/vinyl');
  cpSync(join(clone, 'examples/provider-template'), folder, { recursive: true });
  for (const name of readdirSync(folder).filter((each) => /\.(ts|md)$/.test(each))) {
    const text = readFileSync(join(folder, name), 'utf8');
    writeFileSync(
      join(folder, name),
      text.replaceAll('my-service', 'vinyl').replaceAll('myService', 'vinyl').replaceAll('MyService', 'Vinyl'),
    );
  }

  expect(run(bin('vitest/vitest.mjs'), 'run', 'providers/vinyl')).toMatch(/Tests .*\d+ passed/);
  run(bin('typescript/bin/tsc'), '-p', '.');
  run(bin('tsup/dist/cli-default.js'));
  run(bin('typescript/bin/tsc'), '-p', 'tsconfig.build.json');
  writeFileSync(
    join(clone, 'host.mjs'),
    `import { addConnection, createRegistry, importFile, syncHistory } from '@mca/core';
     import { memory } from '@mca/core/adapters/memory';
     import { vinyl } from '@mca/core/providers/vinyl';
     const plays = [{ started_at: '2024-05-03T08:00:00Z', track: 'New', artist: 'Quiet Harbour', seconds: 100 }];
     const fetch = async (input) =>
       Response.json(new URL(new Request(input).url).pathname === '/v1/me' ? { id: 'account-1', name: 'Ana' } : { plays, next: null });
     const registry = createRegistry({ providers: [vinyl()], ...memory(), insecurePlaintextForTests: true, env: { fetch } });
     const imported = await importFile(registry, { userId: 'ana', file: 'providers/vinyl/__fixtures__/plays.csv' });
     await addConnection(registry, { userId: 'ana', provider: 'vinyl', credentials: { fields: { token: 'a token' } } });
     const synced = await syncHistory(registry, { userId: 'ana', provider: 'vinyl' });
     console.log(imported.provider, imported.counts.inserted, synced.status, synced.counts.inserted);`,
  );
  expect(run('host.mjs').trim()).toBe('vinyl 3 complete 1');
}, 180_000);
