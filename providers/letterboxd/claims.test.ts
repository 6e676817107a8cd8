import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type AnyProvider, createRegistry, recogniseFile } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { fileOf, makeZip } from '@mca/core/testing';
import { expect, test } from 'vitest';
import { seeds } from '../../test/faults/fuzz-seeds.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every importer of this repository, with the files its folder has as examples. */
async function importers(): Promise<readonly AnyProvider[]> {
  const examples = await Promise.all(
    readdirSync(root).map(
      async (id) =>
        (await import(/* @vite-ignore */ `${root}${id}/__fixtures__/example.ts`)) as { example: AnyProvider },
    ),
  );
  return examples.map(({ example }) => example).filter(({ capabilities }) => capabilities.fileImport);
}

/** Files and whose they are. */
function files(ids: readonly string[]): readonly { owner: string; name: string; content: string | Uint8Array }[] {
  const fixtures = ids.flatMap((owner) =>
    readdirSync(`${root}${owner}/__fixtures__`)
      .filter((name) => /\.(?:csv|json|html)$/.test(name))
      .map((name) => ({ owner, name, content: readFileSync(`${root}${owner}/__fixtures__/${name}`) })),
  );
  const seeded = Object.entries(seeds).flatMap(([owner, all]) =>
    all.map(([name, content]) => ({ owner, name, content })),
  );
  const bundle = fileURLToPath(new URL('../../examples/quickstart/exports/', import.meta.url));
  const bundled = readdirSync(bundle).map((name) => ({
    owner: bundleOwner(name),
    name,
    content: readFileSync(`${bundle}${name}`),
  }));
  return [...fixtures, ...seeded, ...bundled].filter(({ name }) => name !== 'list.csv');
}

function bundleOwner(name: string): string {
  const owner = ['netflix', 'spotify', 'youtube', 'tiktok'].find((id) => name.toLowerCase().includes(id));
  return owner ?? name;
}

test('no file of one service is claimed by the importer of another, by itself or in an archive', async () => {
  const providers = await importers();
  const registry = createRegistry({ providers, ...memory(), insecurePlaintextForTests: true });
  const ids = providers.map(({ id }) => id);
  const all = files(ids);
  expect(new Set(all.map(({ owner }) => owner)).size).toBeGreaterThan(5);
  for (const { owner, name, content } of all) {
    const forms = [fileOf(name, content), fileOf('export.zip', makeZip([{ name, content }]))];
    for (const file of name.endsWith('.zip') ? forms.slice(0, 1) : forms) {
      const claims = (await recogniseFile(registry, file)).map(({ provider }) => provider);
      // Reviews are looked at only when they are handed in by themselves.
      expect({ name: file.name, of: name, claims }).toEqual({
        name: file.name,
        of: name,
        claims: name === 'reviews.csv' && file.name === 'export.zip' ? [] : [owner],
      });
    }
  }
});

/** Headers of services that nobody here imports, which share columns with those that somebody does. */
const strangers: Readonly<Record<string, string>> = {
  'ratings.csv':
    'TMDb ID,IMDb ID,Type,Name,Release Date,Season Number,Episode Number,Rating,Your Rating,Date Rated\n1,tt99000001,movie,Blue Door,2019-05-02,,,7,9,2025-03-01\n',
  'watched.csv': 'tmdbID,imdbID,Title,Year,Rating10,WatchedDate\n1,tt99000001,Blue Door,2019,9,2025-03-01\n',
  'diary.csv': 'Date,Name,Year,Rating,Watched Date\n2025-03-01,Blue Door,2019,9,2025-03-01\n',
  'list.csv': 'Title,Your Rating,Date Rated,Position,Created\nBlue Door,9,2025-03-01,1,2025-03-01\n',
  'films.csv': 'Letterboxd list export v7\nDate,Name,Tags,URL,Description\n2025-01-01,Doors,,https://boxd.it/7c,\n',
  'goodreads_library_export.csv':
    'Title,Authors,Contributors,ISBN/UID,Format,Read Status,Date Added,Last Date Read,Dates Read,Read Count,Star Rating,Review,Tags,Owned?\nBlue Door,Mara Quill,,,,read,2025/01/01,2025/03/01,,1,4.25,,,\n',
  'part_000000.csv': 'title,url,time_added,tags,status\nBlue Door,https://door.example,1740787200,,unread\n',
  'Listening.csv':
    'Start Date,End Date,Event Duration Milliseconds,Product Name,ASIN\n2025-03-01,2025-03-01,1000,Blue Door,B00\n',
};

test('files of services that nobody imports are claimed by nobody, whatever they are called', async () => {
  const registry = createRegistry({ providers: await importers(), ...memory(), insecurePlaintextForTests: true });
  for (const [name, content] of Object.entries(strangers)) {
    for (const file of [fileOf(name, content), fileOf('export.zip', makeZip([{ name, content }]))])
      expect({ name, claims: await recogniseFile(registry, file) }).toEqual({ name, claims: [] });
  }
});
