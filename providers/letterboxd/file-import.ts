import {
  baseName,
  type FileImportCapability,
  fileImport,
  type ImportFile,
  webPageMistake,
  withDefaults,
} from '@mca/core/provider-kit';
import { diary } from './diary.ts';
import { likes, ratings, watched, watchlist } from './marks.ts';
import { type LetterboxdOptions, letterboxdOptionsSchema, type ResolvedLetterboxdOptions } from './schemas.ts';
import { isList, isNamelessList } from './table.ts';

const HINT = 'Hand in the zip of Settings › Data › Export your data on letterboxd.com, or its diary.csv.';

/** Formats, and what people hand in instead of them. */
export function letterboxdFileImport(
  defaults: LetterboxdOptions | undefined,
): FileImportCapability<ResolvedLetterboxdOptions, LetterboxdOptions> {
  const capability = fileImport(
    {
      provider: 'letterboxd',
      accept: ['.zip', '.csv'],
      // The diary before the films marked as watched, most of which it knows better.
      formats: [diary, ratings, likes, watchlist, watched],
      hint: HINT,
      mistakes: [
        webPageMistake(HINT),
        {
          reason: 'film_list',
          names: /$^/,
          matches: isList,
          message: 'is one of your lists of films, which says nothing of watching.',
          hint: HINT,
        },
        {
          reason: 'renamed_file',
          names: /$^/,
          matches: isNamelessList,
          message: 'lists films, and only its name could say why.',
          hint: 'Call it as Letterboxd does: watched.csv, watchlist.csv, or films.csv for likes. Better still, hand in the zip.',
        },
      ],
    },
    withDefaults(letterboxdOptionsSchema, defaults, 'letterboxd'),
  );
  return {
    ...capability,
    parse: (context, files) =>
      capability.parse(
        { ...context, options: { ...context.options, firstViewings: new Map() } },
        files.toSorted((a, b) => Number(isWatched(a)) - Number(isWatched(b))),
      ),
  };
}

function isWatched({ name }: ImportFile): boolean {
  return watched.names.test(baseName(name));
}
