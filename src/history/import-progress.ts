import type { ImportProgressEvent } from '../contracts/events.ts';
import type { ImportFile } from '../contracts/import-file.ts';
import type { ImportCounts } from '../contracts/import-record.ts';

/** Counts bytes as they are read, to tell how far an import is. */
export interface ByteMeter {
  readonly files: readonly ImportFile[];
  read(): number;
  /** `undefined` when the size of some file is unknown. */
  total(): number | undefined;
}

/** Wraps files so that reading them is counted. Opening a file again adds its size to the total again. */
export function meterBytes(files: readonly ImportFile[]): ByteMeter {
  let bytesRead = 0;
  let bytesTotal: number | undefined = 0;
  const expect = (size: number | undefined): void => {
    bytesTotal = size === undefined || bytesTotal === undefined ? undefined : bytesTotal + size;
  };

  function metered(file: ImportFile, announced: boolean): ImportFile {
    let timesOpened = announced ? 0 : 1;
    return {
      name: file.name,
      size: file.size,
      async open() {
        timesOpened += 1;
        if (timesOpened > 1) expect(file.size);
        return counted(await file.open(), file.size);
      },
      ...(file.read && {
        read: async (offset: number, length: number) => {
          const bytes = await (file.read as NonNullable<ImportFile['read']>)(offset, length);
          bytesRead += bytes.length;
          return bytes;
        },
      }),
      ...(file.list && {
        list: async () =>
          (await (file.list as NonNullable<ImportFile['list']>)()).map((entry) => metered(entry, false)),
      }),
    };
  }

  function counted(source: ReadableStream<Uint8Array>, size: number | undefined): ReadableStream<Uint8Array> {
    const reader = source.getReader();
    let seen = 0;
    return new ReadableStream(
      {
        async pull(controller) {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          seen += value.length;
          bytesRead += value.length;
          controller.enqueue(value);
        },
        async cancel(reason) {
          // Only the head was wanted, to tell what the file is: the rest is not to be expected from this opening.
          if (size !== undefined) expect(seen - size);
          await reader.cancel(reason);
        },
      },
      { highWaterMark: 0 },
    );
  }

  for (const file of files) if (!file.list) expect(file.size);
  return {
    files: files.map((file) => metered(file, !file.list)),
    read: () => Math.min(bytesRead, bytesTotal ?? bytesRead),
    total: () => bytesTotal,
  };
}

/** The event for a progress bar. */
export function progressEvent(
  about: Pick<ImportProgressEvent, 'userId' | 'provider' | 'importId'>,
  counts: ImportCounts,
  meter: ByteMeter,
  elapsedMs: number,
): ImportProgressEvent {
  const bytesRead = meter.read();
  const bytesTotal = meter.total();
  const remaining =
    bytesTotal !== undefined && bytesRead > 0 ? (elapsedMs * (bytesTotal - bytesRead)) / bytesRead : undefined;
  return {
    type: 'import_progress',
    ...about,
    counts,
    bytesRead,
    bytesTotal,
    recordsPerSecond: elapsedMs > 0 ? Math.round((counts.read * 1000) / elapsedMs) : 0,
    remainingMs: remaining === undefined ? undefined : Math.round(remaining),
  };
}
