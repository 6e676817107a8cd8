import type { AnyProvider } from '@mca/core';
import { goodreads } from '@mca/core/providers/goodreads';
import { imdb } from '@mca/core/providers/imdb';
import { lastfm } from '@mca/core/providers/lastfm';
import { letterboxd } from '@mca/core/providers/letterboxd';
import { listenbrainz } from '@mca/core/providers/listenbrainz';
import { mcaExport } from '@mca/core/providers/mca-export';
import { navidrome } from '@mca/core/providers/navidrome';
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
  const { GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, NAVIDROME } = env;
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
    // Users type in where their server is. Not before the operator says so, and then through the guarded network.
    ...(NAVIDROME === '1' ? [navidrome()] : []),
    netflix(),
    // Files either way; with a project at Google the liked videos, too.
    GOOGLE_CLIENT_ID && GOOGLE_CLIENT_SECRET
      ? youtube({ clientId: GOOGLE_CLIENT_ID, clientSecret: GOOGLE_CLIENT_SECRET })
      : youtube(),
    tiktok(),
    letterboxd(),
    imdb(),
    goodreads(),
    mcaExport(),
  ];
}
