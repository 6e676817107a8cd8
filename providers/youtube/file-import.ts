import { type FileImportCapability, fileImport, withDefaults } from '@mca/core/provider-kit';
import { importOptions, type ResolvedImportOptions, type YouTubeImportOptions } from './schemas.ts';
import { watchHistoryHtml } from './watch-history-html.ts';
import { watchHistoryJson } from './watch-history-json.ts';

/** The importer for Google Takeout. */
export function youtubeFileImport(
  defaults: YouTubeImportOptions,
): FileImportCapability<ResolvedImportOptions, YouTubeImportOptions> {
  return fileImport(
    {
      provider: 'youtube',
      accept: ['.zip', '.json', '.html'],
      formats: [watchHistoryJson, watchHistoryHtml],
      hint: 'The watch history is not in here. At takeout.google.com choose "YouTube and YouTube Music", history, format JSON; a large export comes in several parts, so hand in all of them.',
    },
    withDefaults(importOptions, defaults, 'youtube'),
  );
}
