import { type FileImportCapability, fileImport, webPageMistake, withDefaults } from '@mca/core/provider-kit';
import { kindOf } from './columns.ts';
import { lists, ratings } from './formats.ts';
import { type ImdbOptions, imdbOptionsSchema, type ResolvedImdbOptions } from './schemas.ts';

const HINT = 'Open Your ratings, or a list, on imdb.com, choose Export, and hand in the CSV file of imdb.com/exports.';

/** Formats, and what people hand in instead of them. */
export function imdbFileImport(
  defaults: ImdbOptions | undefined,
): FileImportCapability<ResolvedImdbOptions, ImdbOptions> {
  return fileImport(
    {
      provider: 'imdb',
      accept: ['.csv', '.zip'],
      formats: [ratings, lists],
      hint: HINT,
      mistakes: [
        webPageMistake(HINT),
        {
          reason: 'old_export',
          names: /$^/,
          matches: (sample) => kindOf(sample) === 'before-2017',
          message: 'is an export of before 2017, whose dates cannot be read.',
          hint: `Export again. ${HINT}`,
        },
      ],
    },
    withDefaults(imdbOptionsSchema, defaults, 'imdb'),
  );
}
