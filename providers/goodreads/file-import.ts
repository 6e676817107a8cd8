import { type FileImportCapability, fileImport, webPageMistake, withDefaults } from '@mca/core/provider-kit';
import { library } from './library.ts';
import { type GoodreadsOptions, goodreadsOptionsSchema, type ResolvedGoodreadsOptions } from './schemas.ts';

const HINT =
  'On goodreads.com open My Books › Import and export › Export Library, and hand in goodreads_library_export.csv.';

/** The format, and what people hand in instead of it. */
export function goodreadsFileImport(
  defaults: GoodreadsOptions | undefined,
): FileImportCapability<ResolvedGoodreadsOptions, GoodreadsOptions> {
  return fileImport(
    {
      provider: 'goodreads',
      accept: ['.csv', '.zip'],
      formats: [library],
      hint: HINT,
      mistakes: [webPageMistake(HINT)],
    },
    withDefaults(goodreadsOptionsSchema, defaults, 'goodreads'),
  );
}
