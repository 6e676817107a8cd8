// Compiled against the packed tarball by every supported TypeScript, never run.
import { DatabaseSync } from 'node:sqlite';
import {
  type AnyRegistry,
  createRegistry,
  type ImportReport,
  importFile,
  iterateItems,
  McaError,
  type MediaItem,
  queryItems,
  timeline,
  topGroups,
} from '@mca/core';
import type { CredentialStore, Storage } from '@mca/core/adapter-kit';
import { memory } from '@mca/core/adapters/memory';
import { sqlite } from '@mca/core/adapters/sqlite';
import { defineProvider, eventId, fileImport, jsonFormat, skip } from '@mca/core/provider-kit';
import { netflix } from '@mca/core/providers/netflix';
import { spotify } from '@mca/core/providers/spotify';
import { tiktok } from '@mca/core/providers/tiktok';
import { youtube } from '@mca/core/providers/youtube';
import { fileImportConformance, storageConformance } from '@mca/core/testing';

const live = defineProvider({
  id: 'live',
  name: 'Live',
  capabilities: {
    playlists: {
      listPage: async () => ({ playlists: [], cursor: undefined }),
      tracksPage: async () => ({ tracks: [], cursor: undefined }),
    },
  },
});
const registry = createRegistry({
  providers: [spotify(), netflix({ dateOrder: 'DMY' }), youtube(), tiktok(), live],
  ...sqlite({ database: new DatabaseSync(':memory:') }),
  onEvent(event) {
    if (event.type === 'import_progress') console.log(event.counts.read, event.remainingMs);
  },
});

const report: ImportReport = await importFile(registry, { userId: 'ana', file: 'export.zip' });
if (report.status === 'partial') console.log(report.error?.code, report.rejections[0]?.line);
await importFile(registry, { userId: 'ana', provider: 'netflix', file: new Blob([]), options: { dateOrder: 'YMD' } });
await importFile(registry, {
  userId: 'ana',
  provider: 'spotify',
  file: new Uint8Array(),
  options: { skip: { incognito: false } },
});
await importFile(registry, { userId: 'ana', provider: registry.add(live), file: 'x' });

// @ts-expect-error Netflix has no playlists
registry.get('netflix').capabilities.playlists;
registry.get('live').capabilities.playlists.listPage;
// @ts-expect-error `live` imports no files
await importFile(registry, { userId: 'ana', provider: 'live', file: 'x' });
// @ts-expect-error no such provider
await importFile(registry, { userId: 'ana', provider: 'netflux', file: 'x' });
// @ts-expect-error an option of Netflix, not of Spotify
await importFile(registry, { userId: 'ana', provider: 'spotify', file: 'x', options: { dateOrder: 'DMY' } });
// @ts-expect-error no such date order
netflix({ dateOrder: 'DYM' });
// @ts-expect-error storage is not optional
createRegistry({ providers: [] });
// @ts-expect-error what engines share is no part of a registry
registry.access;
const any: AnyRegistry = registry;
// @ts-expect-error nor is it one's to tell
any.emit;
// @ts-expect-error no such unit
await timeline(registry, { userId: 'ana', by: 'fortnight' });

const { items, nextCursor } = await queryItems(registry, {
  userId: 'ana',
  type: ['music', 'podcast'],
  from: new Date(0),
  cursor: undefined,
});
const first: MediaItem | undefined = items[0];
for await (const item of iterateItems(registry, { userId: 'ana' }))
  console.log(item.title, item.consumedAt.getTime(), first, nextCursor);
const [top] = await topGroups(registry, { userId: 'ana', by: 'creator' });
console.log(top?.value, top?.timeSpentMs);

function mine(options: { loud?: boolean } = {}) {
  const schema = {
    '~standard': {
      version: 1 as const,
      vendor: 'mine',
      validate: (value: unknown) => ({ value: { ...options, ...(value as object) } }),
    },
  };
  const rows = jsonFormat<{ loud?: boolean }>({
    id: 'rows',
    name: 'Rows',
    precision: 'second',
    rank: 1,
    names: /\.json$/,
    recognise: () => 1,
    record: (row) =>
      row.ad === true
        ? skip('ad')
        : {
            platform: 'mine',
            externalId: eventId({ at: 0, content: 'x' }),
            type: 'music',
            action: 'consumed',
            title: 'x',
            consumedAt: new Date(0),
            tags: [],
            ids: {},
            source: 'rows',
            precision: 'second',
            rawMetadata: {},
          },
  });
  return defineProvider({
    id: 'mine',
    name: 'Mine',
    capabilities: { fileImport: fileImport({ provider: 'mine', accept: [], formats: [rows], hint: '' }, schema) },
  });
}
const own = createRegistry({ providers: [mine()], ...memory() });
await importFile(own, { userId: 'ana', provider: 'mine', file: 'x.json', options: { loud: true } });

declare const adapter: { storage: Storage; credentials: CredentialStore; close(): Promise<void> };
for (const { id, title, run } of storageConformance(async () => adapter)) console.log(id, title, run);
for (const { run } of fileImportConformance({
  provider: mine(),
  exports: [],
  withBadRecord: { name: '', content: '', badValue: '' },
  overlapping: [],
  personal: [],
}))
  await run();
try {
  await importFile(registry, { userId: 'ana', file: 'x' });
} catch (error) {
  if (McaError.isInstance(error) && error.code === 'file_parse_error') console.log(error.position?.line, error.hint);
}
