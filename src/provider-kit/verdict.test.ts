import { createRegistry, importFile } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { mcaExport } from '@mca/core/providers/mca-export';
import { fileOf, makeZip } from '@mca/core/testing';
import { expect, test } from 'vitest';

const good = (n: number): string =>
  `{"platform":"vinyl","externalId":"${n}:x","type":"music","action":"consumed","title":"Song","consumedAt":"2024-04-28T21:16:0${n}.000Z","tags":[],"ids":{},"source":"s","precision":"second","rawMetadata":{}}\n`;
const bad = '{"platform":"vinyl","externalId":"","title":7}\n';
const bring = (file: ReturnType<typeof fileOf>) =>
  importFile(createRegistry({ providers: [mcaExport()], ...memory() }), {
    userId: 'ana',
    provider: 'mca-export',
    file,
  });

test.each([1, 3, 19])('a file of %i records of which none can be read is refused, however short', async (count) => {
  await expect(bring(fileOf('history.jsonl', bad.repeat(count)))).rejects.toMatchObject({
    code: 'file_parse_error',
    reason: 'too_many_bad_records',
    message: expect.stringContaining(`${count} of the first ${count} records of history.jsonl cannot be read`),
    position: { line: count },
  });
});

test('one good record is enough to keep', async () => {
  const report = await bring(fileOf('history.jsonl', good(1) + bad.repeat(3)));
  expect(report).toMatchObject({ status: 'partial', counts: { read: 4, inserted: 1, rejected: 3 } });
});

test('beside a good file a bad one is told, and the good one is stored', async () => {
  const report = await bring(
    fileOf(
      'x.zip',
      makeZip([
        { name: 'a.jsonl', content: good(1) },
        { name: 'b.jsonl', content: `${good(2).slice(0, 90)}\n` },
      ]),
    ),
  );
  expect(report.counts).toMatchObject({ inserted: 1, rejected: 1 });
  expect(report.files.map(({ error }) => error?.reason)).toEqual([undefined, 'too_many_bad_records']);
});
