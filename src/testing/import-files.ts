import type { FileImportCapability, RejectedRecord } from '../contracts/capabilities/file-import.ts';
import type { McaError } from '../contracts/errors.ts';
import type { ImportFile } from '../contracts/import-file.ts';
import type { MediaItem } from '../contracts/media-item.ts';

/**
 * A file in memory, as importers see it.
 *
 * @param chunkBytes - size of the pieces the stream comes in; small and odd ones find bugs at chunk borders
 */
export function fileOf(name: string, content: string | Uint8Array, chunkBytes: number = 64 * 1024): ImportFile {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : Uint8Array.from(content);
  return {
    name,
    size: bytes.length,
    open() {
      let offset = 0;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          if (offset >= bytes.length) return controller.close();
          controller.enqueue(bytes.slice(offset, offset + chunkBytes));
          offset += chunkBytes;
        },
      });
    },
    read: async (offset, length) => bytes.slice(offset, offset + length),
  };
}

/** Everything an importer said about some files. */
export interface CollectedImport {
  readonly read: number;
  readonly items: readonly MediaItem[];
  readonly skipped: Readonly<Record<string, number>>;
  readonly rejected: readonly RejectedRecord[];
  readonly warnings: readonly string[];
  /** One per file that could not be read to its end. */
  readonly errors: readonly McaError[];
}

/** Runs an importer without a store and collects what it says. Fails when a batch does not balance. */
export async function collectImport<Input>(
  // biome-ignore lint/suspicious/noExplicitAny: the resolved options stay between importer and schema
  capability: FileImportCapability<any, Input>,
  files: readonly ImportFile[],
  settings: {
    readonly options?: Input | undefined;
    readonly strict?: boolean | undefined;
    readonly now?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<CollectedImport> {
  const {
    options = {},
    strict = false,
    now = Date.UTC(2026, 10, 21),
    signal = new AbortController().signal,
  } = settings;
  const checked = await capability.options['~standard'].validate(options);
  if (checked.issues)
    throw new TypeError(`Invalid options: ${checked.issues.map((issue) => issue.message).join('; ')}`);
  const items: MediaItem[] = [];
  const rejected: RejectedRecord[] = [];
  const warnings: string[] = [];
  const errors: McaError[] = [];
  const skipped: Record<string, number> = {};
  let read = 0;
  const context = { options: checked.value, signal, strict, now: () => now };
  for await (const batch of capability.parse(context, files)) {
    const left = Object.values(batch.skipped).reduce((sum, count) => sum + count, 0);
    if (batch.read !== batch.items.length + left + batch.rejected.length) {
      throw new Error(
        `Unbalanced batch of ${batch.file}: read ${batch.read}, items ${batch.items.length}, skipped ${left}, rejected ${batch.rejected.length}`,
      );
    }
    read += batch.read;
    items.push(...batch.items);
    rejected.push(...batch.rejected);
    warnings.push(...(batch.warnings ?? []));
    if (batch.error) errors.push(batch.error);
    for (const [reason, count] of Object.entries(batch.skipped)) skipped[reason] = (skipped[reason] ?? 0) + count;
  }
  return { read, items, skipped, rejected, warnings, errors };
}
