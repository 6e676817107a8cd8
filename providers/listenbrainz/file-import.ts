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

/** By its first whole line: names are not documented. */
function recognise({ text }: FileSample): number {
  const [line = ''] = text.trimStart().split('\n', 1);
  const isListen = /"listened_at"\s*:\s*\d/.test(line) && /"track_metadata"\s*:\s*\{/.test(line);
  return isListen && line.startsWith('{') ? 0.95 : 0;
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
