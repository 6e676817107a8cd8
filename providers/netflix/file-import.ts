import { type FileImportCapability, fileImport, webPageMistake, withDefaults } from '@mca/core/provider-kit';
import { ratings } from './ratings.ts';
import { type NetflixOptions, netflixOptionsSchema, type ResolvedNetflixOptions } from './schemas.ts';
import { viewingActivity } from './viewing-activity.ts';
import { viewingHistory } from './viewing-history.ts';

/** Formats, and what people hand in instead of them. */
export function netflixFileImport(
  defaults: NetflixOptions | undefined,
): FileImportCapability<ResolvedNetflixOptions, NetflixOptions> {
  return fileImport(
    {
      provider: 'netflix',
      accept: ['.csv', '.zip'],
      // Activity first: it knows all profiles, so a wrong `profiles` option is refused before any rating is stored.
      formats: [viewingActivity, viewingHistory, ratings],
      hint: 'Hand in NetflixViewingHistory.csv, ViewingActivity.csv, or the zip of the full data request (netflix.com/account/getmyinfo).',
      mistakes: [
        webPageMistake('Use "Download all" at the bottom of the viewing activity page instead of saving the page.'),
      ],
    },
    withDefaults(netflixOptionsSchema, defaults, 'netflix'),
  );
}
