import { readFileSync } from 'node:fs';
import { McaError } from '@mca/core';
import { goodreads } from '@mca/core/providers/goodreads';
import { imdb } from '@mca/core/providers/imdb';
import { letterboxd } from '@mca/core/providers/letterboxd';
import { listenbrainz } from '@mca/core/providers/listenbrainz';
import { mcaExport } from '@mca/core/providers/mca-export';
import { netflix } from '@mca/core/providers/netflix';
import { spotify } from '@mca/core/providers/spotify';
import { tiktok } from '@mca/core/providers/tiktok';
import { youtube } from '@mca/core/providers/youtube';
import { collectImport, fileOf, makeZip, seededRandom } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { recordFigure } from '../support/reliability.ts';
import { longFields, REPEATED } from './fuzz-fields.ts';
import { seeds } from './fuzz-seeds.ts';

const full = process.env.MCA_TEST_FULL === '1';
const FILES = full ? 10_000 : 200;
/** A hang guard: a fuzzed file of some kilobytes takes a millisecond. */
const HANGS_AFTER_MS = 5_000;

const providers = {
  spotify: spotify(),
  netflix: netflix({ dateOrder: 'DMY' }),
  youtube: youtube(),
  tiktok: tiktok(),
  listenbrainz: listenbrainz(),
  letterboxd: letterboxd(),
  imdb: imdb(),
  goodreads: goodreads(),
  'mca-export': mcaExport(),
};

/** Damages a file a little, most of the time: what is still read must stay as it was, what is not must fail as promised. */
function mutate(seed: Uint8Array, random: () => number): Uint8Array {
  const bytes = [...seed];
  const at = () => Math.floor(random() * bytes.length);
  const interesting = [0x22, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3b, 0x0a, 0x0d, 0x00, 0xff, 0xef, 0x5c, 0x2d, 0x39, 0x3c];
  for (let edits = 1 + Math.floor(random() * 3); edits > 0; edits -= 1) {
    const kind = random();
    if (kind < 0.35) bytes[at()] = Math.floor(random() * 256);
    else if (kind < 0.6) bytes[at()] = interesting[Math.floor(random() * interesting.length)] ?? 0;
    else if (kind < 0.7) bytes.splice(at(), Math.floor(random() * 40));
    else if (kind < 0.8) bytes.splice(at(), 0, ...bytes.slice(at(), at() + 60));
    else if (kind < 0.88)
      bytes.splice(
        at(),
        0,
        ...new TextEncoder().encode(
          ['"__proto__":{"polluted":1},', '[[[[[[', '99999999999999999999', '"constructor":', '\ufeff', '""""'][
            Math.floor(random() * 6)
          ],
        ),
      );
    else if (kind < 0.93) bytes.length = Math.max(1, at());
    else bytes.push(...bytes.slice(at()));
  }
  return Uint8Array.from(bytes);
}

describe('R-057 fuzzed files', () => {
  for (const [id, provider] of Object.entries(providers)) {
    test(`R-057 ${id}: no fuzzed file escapes as a raw error or hangs, and enough of them still yield items`, async () => {
      const random = seededRandom(57);
      const files = seeds[id as keyof typeof seeds];
      let withItems = 0;
      let refused = 0;
      let slowestMs = 0;
      for (let index = 0; index < FILES; index += 1) {
        const [name, content] = files[index % files.length] ?? ['', ''];
        const plain = mutate(typeof content === 'string' ? new TextEncoder().encode(content) : content, random);
        // Every tenth file is damaged inside a sound archive, every other tenth is a damaged archive.
        const zipped =
          index % 10 === 3
            ? makeZip([{ name, content: plain }])
            : index % 10 === 7
              ? mutate(makeZip([{ name, content }]), random)
              : undefined;
        const file = zipped ? fileOf('export.zip', zipped) : fileOf(name, plain, 1 + Math.floor(random() * 4_096));
        const startedAt = performance.now();
        try {
          const { items, errors } = await collectImport(provider.capabilities.fileImport, [file]);
          if (items.length > 0) withItems += 1;
          for (const error of errors) expect(error.code).toBe('file_parse_error');
        } catch (error) {
          if (!McaError.isInstance(error))
            throw new Error(`file ${index} (${name}) of seed 57 escaped`, { cause: error });
          expect(['file_parse_error', 'not_found']).toContain(error.code);
          refused += 1;
        }
        slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      }
      expect(slowestMs).toBeLessThan(HANGS_AFTER_MS);
      expect(withItems / FILES).toBeGreaterThanOrEqual(0.3);
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
      recordFigure(
        'R-057',
        `${id}: ${FILES.toLocaleString('en-US')} files, 0 escaped, 0 hung; ${Math.round((withItems / FILES) * 100)} % still gave items, ${refused} refused as a whole`,
      );
    });
  }
});

const LONG = (full ? 256 : 64) * 1024;

describe('R-057 fields of 256 KiB of one character', () => {
  for (const [id, provider] of Object.entries(providers)) {
    test(`R-057 ${id}: no field is quadratic, whatever it repeats`, async () => {
      const slow: string[] = [];
      let files = 0;
      // A pattern that fails at the end starts over at every character; one that succeeds is quick.
      const some = full ? REPEATED : REPEATED.filter((_, index) => index % 3 === 0);
      const texts = some.flatMap((each) => [`${each.repeat(LONG / 2)}x\n`, ...(full ? [each.repeat(LONG)] : [])]);
      for (const text of texts) {
        for (const { name, field, content } of longFields(id as keyof typeof seeds, text)) {
          files += 1;
          const file = fileOf(name, content);
          const startedAt = performance.now();
          const { errors } = await collectImport(provider.capabilities.fileImport, [file]);
          await provider.capabilities.fileImport.recognise(file);
          const ms = performance.now() - startedAt;
          for (const error of errors) expect(error.code).toBe('file_parse_error');
          if (ms > HANGS_AFTER_MS)
            slow.push(`${name}, ${field}, ${JSON.stringify(text.slice(0, 1))}: ${Math.round(ms)} ms`);
        }
      }
      expect(slow).toEqual([]);
      recordFigure(
        'R-057',
        `${id}: ${files.toLocaleString('en-US')} files with a field of ${LONG / 1024} KiB, 0 escaped, 0 hung`,
      );
    });
  }
});

const bundled = (provider: keyof typeof providers, name: string) => {
  const file = fileOf(name, readFileSync(new URL(`../../examples/quickstart/exports/${name}`, import.meta.url)));
  return collectImport<object>(providers[provider].capabilities.fileImport, [file]);
};

test.each([
  ['netflix', 'NetflixViewingHistory.csv'],
  ['netflix', 'netflix-full-report.zip'],
  ['spotify', 'spotify-account-data.zip'],
  ['spotify', 'spotify-extended-history.zip'],
  ['youtube', 'takeout-youtube.zip'],
  ['tiktok', 'TikTok_Data_1761868800.zip'],
] as const)('the bundled export of %s, %s, is read without a single rejection', async (provider, name) => {
  const { items, rejected, errors } = await bundled(provider, name);
  expect({ rejected, errors }).toEqual({ rejected: [], errors: [] });
  expect(items.length).toBeGreaterThan(300);
});
