import { type FileImportCapability, fileImport, withDefaults } from '@mca/core/provider-kit';
import { accountData } from './account-data.ts';
import { extendedHistory } from './extended-history.ts';
import { importOptions, type ResolvedImportOptions, type SpotifyImportOptions } from './schemas.ts';

/** The importer for everything Spotify exports. */
export function spotifyFileImport(
  defaults: SpotifyImportOptions,
): FileImportCapability<ResolvedImportOptions, SpotifyImportOptions> {
  return fileImport(
    {
      provider: 'spotify',
      accept: ['.zip', '.json'],
      formats: [extendedHistory, accountData],
      hint: 'Hand in the zip from spotify.com/account/privacy, or a file named Streaming_History_Audio_….json, endsong_….json or StreamingHistory….json.',
    },
    withDefaults(importOptions, defaults, 'spotify'),
  );
}
