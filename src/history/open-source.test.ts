import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry, importFile, recogniseFile } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { netflix } from '@mca/core/providers/netflix';
import { spotify } from '@mca/core/providers/spotify';
import { makeZip } from '@mca/core/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { plays } from '../../test/support/spotify-rows.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mca-source-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => createRegistry({ providers: [spotify(), netflix()], ...memory() });
const json = (from: number, to: number) => JSON.stringify(plays(from, to));
const inserted = async (file: Parameters<typeof importFile>[1]['file']) =>
  (await importFile(open(), { userId: 'ana', file })).counts.inserted;

test('a path, a Blob, a File, bytes and a source of the host all do', async () => {
  const path = join(folder, 'endsong_0.json');
  writeFileSync(path, json(0, 5));
  const bytes = new TextEncoder().encode(json(0, 5));
  expect(await inserted(path)).toBe(5);
  expect(await inserted(new Blob([bytes]))).toBe(5);
  expect(await inserted(new File([bytes], 'endsong_0.json'))).toBe(5);
  expect(await inserted(bytes)).toBe(5);
  expect(await inserted({ name: 'upload', open: () => new Blob([bytes]).stream() })).toBe(5);
});

test('an archive does, from a path, from a Blob, and from a stream that can only be opened again', async () => {
  const zip = makeZip([{ name: 'MyData/endsong_0.json', content: json(0, 5) }]);
  const path = join(folder, 'my_spotify_data.zip');
  writeFileSync(path, zip);
  expect(await inserted(path)).toBe(5);
  expect(await inserted(new Blob([new Uint8Array(zip)]))).toBe(5);
  expect(await inserted({ name: 'upload.zip', open: () => new Blob([new Uint8Array(zip)]).stream() })).toBe(5);
});

test('an unzipped export is a folder: what belongs to it is read, everything else is left alone', async () => {
  const deep = join(folder, 'Spotify Extended Streaming History');
  mkdirSync(deep);
  writeFileSync(join(deep, 'Streaming_History_Audio_2020_0.json'), json(0, 5));
  writeFileSync(join(deep, 'Streaming_History_Audio_2021_1.json'), json(5, 9));
  writeFileSync(join(deep, 'ReadMeFirst.pdf'), '%PDF');
  writeFileSync(join(folder, 'tax-return.json'), '{"secret":true}');
  const report = await importFile(open(), { userId: 'ana', file: folder });
  expect(report).toMatchObject({ status: 'complete', provider: 'spotify', counts: { inserted: 9 } });
  expect(report.files.map(({ name }) => name.split('/').at(-1))).toEqual([
    'Streaming_History_Audio_2020_0.json',
    'Streaming_History_Audio_2021_1.json',
  ]);
});

test('recogniseFile names provider, format and confidence, and is silent about strangers', async () => {
  const file = new File([json(0, 5)], 'whatever.txt');
  expect(await recogniseFile(open(), file)).toEqual([
    { provider: 'spotify', format: 'extended-history', confidence: 0.98 },
  ]);
  expect(await recogniseFile(open(), new File(['hello'], 'hello.txt'))).toEqual([]);
});

test('a file that vanishes between two looks is a typed error', async () => {
  const path = join(folder, 'endsong_0.json');
  writeFileSync(path, json(0, 5));
  let opened = 0;
  const file = {
    name: 'endsong_0.json',
    open() {
      opened += 1;
      if (opened > 2) throw new Error('ENOENT');
      return new Blob([json(0, 5)]).stream();
    },
  };
  await expect(importFile(open(), { userId: 'ana', provider: 'spotify', file })).rejects.toMatchObject({
    code: 'file_parse_error',
    reason: 'file_unreadable',
  });
});
