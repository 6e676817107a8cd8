import { createRegistry, importFile } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { goodreads } from '@mca/core/providers/goodreads';
import { netflix } from '@mca/core/providers/netflix';
import { tiktok } from '@mca/core/providers/tiktok';
import { expect, test } from 'vitest';
import { fileOf } from '../testing/import-files.ts';

const PAGE = '<!DOCTYPE html>\n<html><title>Sign in</title>';

test.each([
  ['an empty file', 'upload.csv', '', 'empty_file', 'upload.csv is empty.'],
  ['a saved page', 'upload.html', PAGE, 'html_page', 'upload.html is a web page, not an export.'],
])('%s that nobody knows is no service’s fault', async (_, name, content, reason, message) => {
  const told = { code: 'file_parse_error', reason, message, hint: expect.any(String), position: { file: name } };
  const failure = async (providers: Parameters<typeof createRegistry>[0]['providers'], provider?: string) => {
    const registry = createRegistry({ providers, ...memory() });
    return importFile(registry, { userId: 'ana', file: fileOf(name, content), provider: provider as never }).then(
      () => expect.unreachable(),
      (error: { hint?: string; provider?: string }) => error,
    );
  };
  const both = [netflix(), goodreads(), tiktok()];
  for (const providers of [both, both.toReversed()]) {
    const error = await failure(providers);
    expect(error).toMatchObject(told);
    expect(error.provider).toBeUndefined();
    expect(error.hint).not.toMatch(/viewing activity|netflix|goodreads|tiktok|library/i);
  }
  // Who reads files alone, or was named, says where its export is.
  expect(await failure([goodreads()])).toMatchObject({ ...told, provider: 'goodreads' });
  expect(await failure(both, 'goodreads')).toMatchObject({ ...told, provider: 'goodreads' });
});

test('a mistake that is of one service alone is told as before', async () => {
  const registry = createRegistry({ providers: [netflix(), tiktok()], ...memory() });
  const file = fileOf('Watch History.txt', 'Date: 2026-01-01 10:00:00\nLink: x\n');
  await expect(importFile(registry, { userId: 'ana', file })).rejects.toMatchObject({
    reason: 'txt_export',
    provider: 'tiktok',
  });
});
