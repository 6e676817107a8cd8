import type { AnyProvider } from '@mca/core';
import { lastfm } from '@mca/core/providers/lastfm';
import { listenbrainz } from '@mca/core/providers/listenbrainz';
import { mcaExport } from '@mca/core/providers/mca-export';
import { netflix } from '@mca/core/providers/netflix';
import { simkl } from '@mca/core/providers/simkl';
import { spotify } from '@mca/core/providers/spotify';
import { tiktok } from '@mca/core/providers/tiktok';
import { trakt } from '@mca/core/providers/trakt';
import { youtube } from '@mca/core/providers/youtube';
import { songbook } from './demo/songbook.ts';

/** Services that can be offered: with an app of yours where they need one, by their files where they have any. */
export function providersFor(
  env: Readonly<Record<string, string | undefined>>,
  baseUrl: string,
  demoUrl: string | undefined,
): readonly AnyProvider[] {
  const { SPOTIFY_CLIENT_ID, SPOTIFY_CLIENT_SECRET, LASTFM_KEY, LASTFM_SECRET } = env;
  const { TRAKT_CLIENT_ID, TRAKT_CLIENT_SECRET, SIMKL_CLIENT_ID } = env;
  const redirectUri = `${baseUrl}/connect/trakt/callback`;
  return [
    ...(demoUrl ? [songbook(demoUrl)] : []),
    SPOTIFY_CLIENT_ID
      ? spotify({ clientId: SPOTIFY_CLIENT_ID, clientSecret: SPOTIFY_CLIENT_SECRET || undefined })
      : spotify(),
    ...(LASTFM_KEY ? [lastfm({ apiKey: LASTFM_KEY, sharedSecret: LASTFM_SECRET || undefined })] : []),
    listenbrainz(),
    ...(TRAKT_CLIENT_ID
      ? [
          trakt({
            clientId: TRAKT_CLIENT_ID,
            clientSecret: TRAKT_CLIENT_SECRET || undefined,
            redirectUri,
            skip: { undated: true },
          }),
        ]
      : []),
    ...(SIMKL_CLIENT_ID ? [simkl({ clientId: SIMKL_CLIENT_ID, appName: 'mca-express' })] : []),
    netflix(),
    youtube(),
    tiktok(),
    mcaExport(),
  ];
}
