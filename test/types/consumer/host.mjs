import { createRegistry, exportItems, importFile, iterateItems } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { spotify } from '@mca/core/providers/spotify';

const registry = createRegistry({ providers: [spotify()], ...memory() });
const rows = [0, 1].map((index) => ({
  ts: `2024-05-01T10:0${index}:00Z`,
  ms_played: 60_000,
  master_metadata_track_name: `Song ${index}`,
  master_metadata_album_artist_name: 'Artist',
  spotify_track_uri: `spotify:track:000000000000000000000${index}`,
}));
const file = new Blob([JSON.stringify(rows)]);
const report = await importFile(registry, { userId: 'ana', file });
const again = await importFile(registry, { userId: 'ana', file });
const titles = [];
for await (const item of iterateItems(registry, { userId: 'ana' })) titles.push(item.title);
let lines = 0;
for await (const chunk of exportItems(registry, { userId: 'ana', format: 'jsonl' }))
  lines += chunk.trim().split('\n').length;
console.log(
  JSON.stringify({
    status: report.status,
    inserted: report.counts.inserted,
    again: again.counts.inserted,
    lines,
    titles,
  }),
);
