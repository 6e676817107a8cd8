import assert from 'node:assert/strict';
import type { FileImportCapability } from '../contracts/capabilities/file-import.ts';
import { McaError } from '../contracts/errors.ts';
import type { ImportFile } from '../contracts/import-file.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import { assertItem } from './assert-item.ts';
import type { ConformanceCase } from './conformance-case.ts';
import { type CollectedImport, collectImport, fileOf } from './import-files.ts';

/** An export of the service, true to it and of nobody real. */
export interface ImportFixture {
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** What the suite needs to know about an importer. */
export interface FileImportUnderTest {
  readonly provider: {
    readonly id: string;
    // biome-ignore lint/suspicious/noExplicitAny: the suite treats every importer alike
    readonly capabilities: { readonly fileImport: FileImportCapability<any, any> };
  };
  /** One whole export of each format. */
  readonly exports: readonly ImportFixture[];
  /** An export with at least one bad record among good ones. */
  readonly withBadRecord: ImportFixture & {
    /** The bad value as it stands in the record. What is said about the record must not repeat it. */
    readonly badValue: string;
  };
  /** At least two exports of one account whose times overlap, some events in both. */
  readonly overlapping: readonly ImportFixture[];
  /** Personal data planted in the exports that must not reach an item: an address, a user name, a device. `'none'` if they hold none. */
  readonly personal: readonly string[] | 'none';
  /** Import options for all of it, when the defaults do not do. */
  readonly options?: unknown;
}

/**
 * Proves that an importer keeps the promises `IMP-1` to `IMP-10`.
 *
 * @example
 * ```ts
 * for (const { id, title, run } of fileImportConformance(underTest)) test(`${id} ${title}`, run);
 * ```
 */
export function fileImportConformance(underTest: FileImportUnderTest): readonly ConformanceCase[] {
  const { provider, exports, withBadRecord, overlapping, personal, options } = underTest;
  const capability = provider.capabilities.fileImport;
  const read = (fixture: ImportFixture, chunkBytes?: number): Promise<CollectedImport> =>
    collectImport(capability, [fileOf(fixture.name, fixture.content, chunkBytes)], { options });
  const readAll = (): Promise<CollectedImport[]> => Promise.all(exports.map((fixture) => read(fixture)));

  return [
    {
      id: 'IMP-1',
      title: 'the same export gives the same items, however the bytes arrive and wherever the machine stands',
      async run() {
        for (const fixture of exports) {
          const whole = await read(fixture);
          assert.ok(whole.items.length > 0, `${fixture.name} gives no items: the suite needs some`);
          assert.deepEqual(whole.errors, []);
          assert.deepEqual((await read(fixture, 7)).items, whole.items);
          for (const zone of ['Pacific/Kiritimati', 'America/Los_Angeles']) {
            assert.deepEqual(
              await inZone(zone, async () => (await read(fixture)).items),
              whole.items,
              `other items in ${zone}`,
            );
          }
        }
      },
    },
    {
      id: 'IMP-2',
      title: 'every batch balances, and each record has one outcome',
      async run() {
        for (const { read, items, skipped, rejected } of await readAll()) {
          assert.equal(read, items.length + Object.values(skipped).reduce((a, b) => a + b, 0) + rejected.length);
        }
      },
    },
    {
      id: 'IMP-3',
      title: 'items are whole, of this platform and of declared sources',
      async run() {
        const { sources, anyPlatform } = capability;
        const givenBy = { platform: provider.id, sources, anyPlatform };
        for (const { items } of await readAll()) for (const item of items) assertItem(item, givenBy);
      },
    },
    {
      id: 'IMP-4',
      title: 'a damaged export fails with file_parse_error and nothing else',
      async run() {
        for (const fixture of exports) {
          for (const damaged of damage(fixture)) await errorsOf(() => read(damaged));
          if (!isCutNoticed(fixture)) continue;
          const half = { name: fixture.name, content: bytesOf(fixture).slice(0, bytesOf(fixture).length >> 1) };
          assert.ok((await errorsOf(() => read(half))).length > 0, `half of ${fixture.name} passes for a whole export`);
        }
        const failing: ImportFile = { name: 'x', open: () => Promise.reject(new Error('EIO')) };
        const errors = await errorsOf(() => collectImport(capability, [failing], { options }));
        assert.ok(errors.length > 0, 'a file that cannot be opened passes for an empty one');
      },
    },
    {
      id: 'IMP-5',
      title: 'a bad record is told with its position, and its neighbours survive',
      async run() {
        const { items, rejected } = await read(withBadRecord);
        assert.ok(rejected.length > 0, `${withBadRecord.name} has no bad record: the suite needs one`);
        assert.ok(items.length > 0, 'no record beside the bad one was read');
        for (const rejection of rejected) {
          assert.equal(rejection.file, withBadRecord.name);
          assert.ok((rejection.record ?? 0) >= 1 || (rejection.line ?? 0) >= 1, 'a rejected record has no position');
          assert.ok(rejection.message.length > 0);
        }
      },
    },
    {
      id: 'IMP-6',
      title: 'an aborted signal ends parsing with cancelled',
      async run() {
        const [fixture] = exports;
        assert.ok(fixture);
        const file = fileOf(fixture.name, fixture.content);
        await assert.rejects(
          collectImport(capability, [file], { options, signal: AbortSignal.abort() }),
          (error) => McaError.isInstance(error) && error.code === 'cancelled',
        );
        // A source that hangs half-way, such as a stalled upload, must not hold a cancelled import.
        const controller = new AbortController();
        await assert.rejects(
          collectImport(capability, [stalling(fixture, () => controller.abort())], {
            options,
            signal: controller.signal,
          }),
          (error) => McaError.isInstance(error) && error.code === 'cancelled',
        );
      },
    },
    {
      id: 'IMP-7',
      title: 'recognises its exports, is silent about foreign files, and throws for none',
      async run() {
        for (const { name, content } of exports) {
          const recognition = await capability.recognise(fileOf(name, content));
          assert.ok(recognition && recognition.confidence >= 0.5, `does not recognise ${name}`);
          assert.ok(capability.sources[recognition.format], `recognises ${name} as an undeclared format`);
        }
        for (const file of foreignFiles())
          assert.equal(await capability.recognise(file), undefined, `claims ${file.name}`);
      },
    },
    {
      id: 'IMP-8',
      title: 'personal data stays behind',
      async run() {
        assert.ok(personal.length > 0, "plant some personal data in the exports, or say 'none'");
        const bad = await read(withBadRecord);
        assert.ok(
          !JSON.stringify([bad.rejected, bad.warnings, bad.errors]).includes(withBadRecord.badValue),
          'what is said about a bad record repeats its content',
        );
        for (const { items, rejected, warnings, errors } of [...(await readAll()), bad]) {
          const said = JSON.stringify([items, rejected, warnings, errors]);
          for (const secret of personal === 'none' ? [] : personal)
            assert.ok(!said.includes(secret), 'personal data reached an item, a rejection or a warning');
        }
      },
    },
    {
      id: 'IMP-9',
      title: 'reasons are snake_case',
      async run() {
        for (const { skipped, rejected } of [...(await readAll()), await read(withBadRecord)]) {
          for (const reason of [...Object.keys(skipped), ...rejected.map((each) => each.reason)])
            assert.match(reason, /^[a-z][a-z0-9_]*$/);
        }
      },
    },
    {
      id: 'IMP-10',
      title: 'overlapping exports give the union, in any order',
      async run() {
        assert.ok(overlapping.length >= 2, 'the suite needs two overlapping exports');
        const parts = await Promise.all(overlapping.map((fixture) => read(fixture)));
        const moments = new Map<string, number>();
        for (const { externalId, consumedAt } of parts.flatMap(({ items }) => items)) {
          const known = moments.get(externalId) ?? consumedAt.getTime();
          assert.equal(consumedAt.getTime(), known, 'one key names two moments');
          moments.set(externalId, known);
        }
        const forwards = union(parts.map(({ items }) => items));
        const backwards = union(parts.map(({ items }) => items).reverse());
        assert.deepEqual([...backwards].sort(), [...forwards].sort());
        const all = parts.reduce((sum, { items }) => sum + new Set(items.map(({ externalId }) => externalId)).size, 0);
        assert.ok(forwards.size < all, 'the exports do not overlap, or events in both have different keys');
      },
    },
  ];
}

/** What a store that keeps the longer of two equal events would hold, by key. */
function union(parts: readonly (readonly MediaItem[])[]): Map<string, number> {
  const longest = new Map<string, number>();
  for (const { externalId, timeSpentMs = -1 } of parts.flat()) {
    longest.set(externalId, Math.max(timeSpentMs, longest.get(externalId) ?? -1));
  }
  return longest;
}

/** All errors of a run, of files or of the whole; any that is not `file_parse_error` fails. */
async function errorsOf(run: () => Promise<CollectedImport>): Promise<readonly McaError[]> {
  let errors: readonly unknown[];
  try {
    errors = (await run()).errors;
  } catch (error) {
    errors = [error];
  }
  return errors.map((error) => {
    assert.ok(McaError.isInstance(error), `threw ${String(error)}`);
    assert.equal(error.code, 'file_parse_error');
    return error;
  });
}

/** JSON and archives know their end; half of a CSV or of a page is just a shorter one. */
function isCutNoticed(fixture: ImportFixture): boolean {
  const [first, second] = bytesOf(fixture);
  return first === 0x5b || (first === 0x7b && !fixture.name.endsWith('l')) || (first === 0x50 && second === 0x4b);
}

function bytesOf({ content }: ImportFixture): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : content;
}

/** Gives half of the file, calls back when more is wanted, and never answers. */
function stalling(fixture: ImportFixture, onStall: () => void): ImportFile {
  const bytes = Uint8Array.from(bytesOf(fixture));
  return {
    name: fixture.name,
    open() {
      let begun = false;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          if (begun) {
            onStall();
            return new Promise(() => {});
          }
          begun = true;
          controller.enqueue(bytes.slice(0, bytes.length >> 1));
          return undefined;
        },
      });
    },
  };
}

/** Runs something as if the machine stood elsewhere. */
async function inZone<T>(zone: string, run: () => Promise<T>): Promise<T> {
  const before = process.env.TZ;
  process.env.TZ = zone;
  try {
    return await run();
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
}

/** The same export cut off, scrambled, and in an encoding it never has. */
function damage({ name, content }: ImportFixture): readonly ImportFixture[] {
  const bytes = bytesOf({ name, content });
  // A copy, also of a Buffer: its own `slice` would share the bytes.
  const scrambled = Uint8Array.from(bytes);
  for (let index = 40; index < scrambled.length; index += 97) scrambled[index] = (index * 31) % 256;
  return [
    ...[0.1, 0.5, 0.9, 0.99].map((share) => ({ name, content: bytes.slice(0, Math.floor(bytes.length * share)) })),
    { name, content: scrambled },
    { name, content: new Uint8Array([...bytes.slice(0, 50), 0xff, 0xfe, 0xfd, ...bytes.slice(50)]) },
    { name, content: new Uint8Array(0) },
  ];
}

function foreignFiles(): readonly ImportFile[] {
  return [
    fileOf('photo.png', new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])),
    fileOf('notes.txt', 'milk, eggs, bread\n'),
    fileOf('package.json', '{"name":"something-else","version":"1.0.0"}'),
    fileOf('page.html', '<!DOCTYPE html><html><body><p>Hello</p></body></html>'),
    fileOf('people.csv', 'name,age,city\nAna,31,Lisbon\n'),
    fileOf('list.json', '[{"id":1,"name":"first"},{"id":2,"name":"second"}]'),
    fileOf('empty', ''),
  ];
}
