// Imports export files into SQLite and draws the history. Without arguments it takes the exports bundled beside it.
//   npm run quickstart
//   npm run quickstart -- ~/Downloads/my_spotify_data.zip ~/Downloads/Takeout --netflix-dates DMY
import { createRegistry, importFile, McaError, recogniseFile, summarise, timeline, topGroups } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { goodreads } from '@mca/core/providers/goodreads';
import { imdb } from '@mca/core/providers/imdb';
import { letterboxd } from '@mca/core/providers/letterboxd';
import { mcaExport } from '@mca/core/providers/mca-export';
import { netflix } from '@mca/core/providers/netflix';
import { spotify } from '@mca/core/providers/spotify';
import { tiktok } from '@mca/core/providers/tiktok';
import { youtube } from '@mca/core/providers/youtube';
import { openDatabase, readArguments } from './arguments.ts';
import { drawHistory, drawReports, drawTop, type Outcome, progressBar } from './screen.ts';

const { databasePath, files, dateOrder } = readArguments(process.argv.slice(2), process.env);
const userId = 'me';
const registry = createRegistry({
  providers: [spotify(), netflix({ dateOrder }), youtube(), tiktok(), letterboxd(), imdb(), goodreads(), mcaExport()],
  ...sqlite({ database: openDatabase(databasePath) }),
});

console.log(`Importing ${files.length} ${files.length === 1 ? 'export' : 'exports'} into ${databasePath}\n`);
const outcomes: Outcome[] = [];
for (const file of files) {
  const bar = progressBar(file);
  // A folder may hold exports of several services; one that nobody knows gets the chance to say why.
  const owners = (await recogniseFile(registry, file)).filter(({ confidence }) => confidence >= 0.5);
  for (const provider of owners.length > 0 ? owners.map((owner) => owner.provider) : [undefined]) {
    try {
      outcomes.push({ file, report: await importFile(registry, { userId, file, provider, onProgress: bar.show }) });
    } catch (error) {
      if (!McaError.isInstance(error)) throw error;
      outcomes.push({ file, error });
    }
  }
  bar.clear();
}
drawReports(outcomes);

const [shown, stored] = [await summarise(registry, { userId }), await summarise(registry, { userId, resolve: 'all' })];
// What somebody marked as seen or read without saying when stands at the first instant of 1970.
const dated = { userId, from: new Date(1) };
const { firstAt, items } = await summarise(registry, dated);
const left = { toldBetter: stored.items - shown.items, undated: shown.items - items };
drawHistory({ ...shown, firstAt }, left, await timeline(registry, { ...dated, by: 'month' }));
drawTop('Most played artists', await topGroups(registry, { userId, type: 'music', by: 'creator', limit: 5 }));
drawTop('Songs on repeat', await topGroups(registry, { userId, type: 'music', by: 'title', limit: 5 }));
drawTop('Podcasts', await topGroups(registry, { userId, type: 'podcast', by: 'creator', limit: 3 }));
drawTop('Series', await topGroups(registry, { userId, platform: 'netflix', by: 'creator', limit: 5 }));
drawTop('Channels', await topGroups(registry, { userId, platform: 'youtube', type: 'video', by: 'creator', limit: 5 }));
drawTop('Where the items come from', await topGroups(registry, { userId, by: 'platform' }));

if (outcomes.every(({ report }) => report === undefined)) process.exitCode = 1;
