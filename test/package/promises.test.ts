import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memory } from '@mca/core/adapters/memory';
import { spotify } from '@mca/core/providers/spotify';
import { tmdb } from '@mca/core/providers/tmdb';
import {
  catalogConformance,
  credentialConformance,
  fakeProvider,
  fileImportConformance,
  historyConformance,
  jobEngineConformance,
  limiterConformance,
  storageConformance,
} from '@mca/core/testing';
import { expect, test } from 'vitest';

const contracts = fileURLToPath(new URL('../../src/contracts', import.meta.url));

/** Promises as the contracts state them: `- \`PAGE-1\` …` in a doc comment. */
function promisesOfContracts(): string[] {
  return readdirSync(contracts, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => [
      ...readFileSync(join(entry.parentPath, entry.name), 'utf8').matchAll(/^ \* - `([A-Z]+-\d+)` /gm),
    ])
    .map(([, id = '']) => id);
}

/** Contracts whose engines, and with them conformance suites, are not built yet. Only ever gets shorter. */
const WAITING = ['LIST', 'EDIT', 'SCROB'];

test('every promise of a contract has a conformance case, every case a promise, and no promise is made twice', () => {
  const promised = promisesOfContracts();
  expect(new Set(promised).size).toBe(promised.length);
  const open = async () => ({ ...memory(), close: async () => {} });
  const importer = {
    provider: spotify(),
    exports: [],
    withBadRecord: { name: '', content: '', badValue: '' },
    overlapping: [],
    personal: [],
  };
  const service = { full: fetch, empty: fetch, withBadRecord: fetch };
  const live = {
    provider: fakeProvider({ baseUrl: 'https://service.test' }),
    now: 0,
    service,
    expected: [],
    errors: [{ title: '', service: fetch, code: 'upstream' as const }],
  };
  const entry = { id: 'movie:1', type: 'video', title: 'Film', tags: [], ids: {} } as const;
  const lookups = { service: fetch, known: [{ ids: {}, entry }], unknown: {}, unaskable: {}, gone: '' };
  const suites = [
    storageConformance(open),
    credentialConformance(open),
    fileImportConformance(importer),
    historyConformance(live),
    jobEngineConformance(() => expect.fail('No case is run here.')),
    catalogConformance({ provider: tmdb(), now: 0, ...lookups, errors: live.errors }),
    limiterConformance(() => ({ create: () => expect.fail('No case is run here.') })),
  ];
  const cases = new Set(suites.flat().map(({ id }) => id));
  const due = promised.filter((id) => !WAITING.includes(id.split('-')[0] ?? ''));
  expect(due.filter((id) => !cases.has(id))).toEqual([]);
  expect([...cases].filter((id) => !promised.includes(id))).toEqual([]);
  expect(cases.size).toBeGreaterThan(40);
});
