import { type FileImportCapability, fileImport, withDefaults } from '@mca/core/provider-kit';
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
        {
          reason: 'html_page',
          // Nothing of that kind is inside archives.
          names: /$^/,
          matches: ({ text }) => /^\s*<(?:!doctype html|html|head|body)\b/i.test(text),
          message: 'is a web page, not a CSV file.',
          hint: 'Use "Download all" at the bottom of the viewing activity page instead of saving the page.',
        },
      ],
    },
    withDefaults(netflixOptionsSchema, defaults),
  );
}
