import { baseName, type FileImportCapability, fileImport, withDefaults } from '@mca/core/provider-kit';
import { type ResolvedTikTokOptions, type TikTokOptions, tiktokOptionsSchema } from './schemas.ts';
import { JSON_HINT, userData } from './user-data.ts';

/** The format, and what people hand in instead of it. */
export function tiktokFileImport(
  defaults: TikTokOptions | undefined,
): FileImportCapability<ResolvedTikTokOptions, TikTokOptions> {
  return fileImport(
    {
      provider: 'tiktok',
      accept: ['.json', '.zip'],
      formats: [userData],
      hint: JSON_HINT,
      mistakes: [
        {
          reason: 'html_page',
          names: /\.html?$/i,
          matches: ({ text }) => /^\s*<(?:!doctype html|html|head|body)\b/i.test(text),
          message: 'is a web page, not an export.',
          hint: JSON_HINT,
        },
        {
          // The names of the text files are translated, so any text file is taken for one.
          reason: 'txt_export',
          names: /\.txt$/i,
          matches: ({ name, text }) => /\.txt$/i.test(name) || blockStart.test(text),
          message: 'belongs to the text form of the export, which cannot be imported.',
          hint: `Request the data again and choose JSON in place of TXT. ${JSON_HINT}`,
        },
      ],
      choose: (found) => {
        // One archive may hold the old and the new name of one file.
        const best = Math.max(...found.map(({ file }) => preference(file.name)));
        return found.filter(({ file }) => preference(file.name) === best);
      },
    },
    withDefaults(tiktokOptionsSchema, defaults, 'tiktok'),
  );
}

/** A label in any language and a timestamp, alone on the first line. */
const blockStart = /^\s*[^{}[\]<>",;\n]{1,40}: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: UTC)?\s*\n/;

function preference(path: string): number {
  const name = baseName(path).toLowerCase();
  if (name.startsWith('user_data_tiktok')) return 2;
  return name.startsWith('user_data') ? 1 : 0;
}
