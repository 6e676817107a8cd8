import {
  type FileImportCapability,
  type FileSample,
  fileImport,
  isPlausible,
  jsonLinesFormat,
  type RecordResult,
  reject,
} from '@mca/core/provider-kit';
import { z } from 'zod';
import { normalise } from './normalise.ts';
import { FIRST_LISTEN_MS, listen } from './schemas.ts';

/** An import has nothing to choose. */
export type NoOptions = Readonly<Record<never, never>>;

/**
 * The export of an account: a zip of `.jsonl` files, of which some hold listens as the API has them. They have the names
 * of the API's, too, so either may come first.
 */
export const listensExport: FileImportCapability<NoOptions, NoOptions> = fileImport<NoOptions, NoOptions>(
  {
    provider: 'listenbrainz',
    accept: ['.zip', '.jsonl'],
    formats: [
      jsonLinesFormat({
        id: 'listens',
        name: 'Listens',
        precision: 'second',
        rank: 1,
        names: /\.jsonl$/i,
        inParts: true,
        recognise,
        record,
      }),
    ],
    hint: 'Hand in the zip of "Export data" in the settings of ListenBrainz, or one of the files in it that hold listens.',
    // Pins and loves lie beside them.
    choose: (found) => found,
  },
  z.strictObject({}),
);

/** By what its lines say, any of them: one bad line must not hide a month. */
function recognise({ text, path }: FileSample): number {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.some(isListen)) return 0.95;
  // Named as the export names them, with no line that can be read: told, rather than left out.
  return lines.length > 0 && /(?:^|[/!])listens\/\d{4}\/\d{1,2}\.jsonl$/.test(path) ? 0.6 : 0;
}

function isListen(line: string): boolean {
  if (!line.includes('"listened_at"') || !line.includes('"track_metadata"')) return false;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'listened_at' in value && 'track_metadata' in value;
  } catch {
    return false;
  }
}

function record(value: unknown, context: { now(): number }): RecordResult {
  const { data, error } = listen.safeParse(value);
  if (!data) {
    const field = error.issues[0]?.path.join('.');
    return reject('unexpected_shape', `not as expected: ${field || 'the line'}`, field);
  }
  const times = { earliest: FIRST_LISTEN_MS, now: context.now() };
  if (!isPlausible(data.listened_at * 1_000, times))
    return reject('implausible_date', 'the listen is before October 2002 or in the future', 'listened_at');
  return normalise(data);
}
