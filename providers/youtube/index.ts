/** @module @mca/core/providers/youtube */

import {
  defineProvider,
  type FileImportCapability,
  type FileImportProvider,
  type LibraryCapability,
  type Provider,
  type SessionCheckCapability,
} from '@mca/core/provider-kit';
import { authorizationCode } from './auth.ts';
import { errors } from './errors.ts';
import { youtubeFileImport } from './file-import.ts';
import { library } from './likes.ts';
import type { ResolvedImportOptions, YouTubeImportOptions } from './schemas.ts';
import { sessionCheck } from './session-check.ts';

/** What the factory takes: defaults for every import. */
export interface YouTubeOptions extends YouTubeImportOptions {}

/** What the factory takes to read accounts: an OAuth client of your Google Cloud project, and defaults for imports. */
export interface YouTubeAppOptions extends YouTubeImportOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** API root. @default 'https://www.googleapis.com/youtube/v3' */
  readonly baseUrl?: string | undefined;
}

/** What {@link youtube} can do with a project of yours. */
export interface YouTubeCapabilities {
  readonly fileImport: FileImportCapability<ResolvedImportOptions, YouTubeImportOptions>;
  readonly library: LibraryCapability;
  readonly sessionCheck: SessionCheckCapability;
}

/**
 * YouTube and YouTube Music. Without client credentials it imports Google Takeout: the watch history as JSON or HTML, in
 * any language of the folders, zipped or not. With them it also reads liked videos. YouTube's own API does not give the
 * watch history.
 *
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [youtube()], ...memory() });
 * await importFile(registry, { userId: 'ana', provider: 'youtube', file: 'takeout-20260115T103000Z-001.zip' });
 * ```
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [youtube({ clientId, clientSecret })], ...memory(), keys });
 * await syncLibrary(registry, { userId: 'ana', provider: 'youtube' });
 * ```
 */
export function youtube(options: YouTubeAppOptions): Provider<'youtube', YouTubeCapabilities>;
export function youtube(options?: YouTubeOptions): FileImportProvider<'youtube', YouTubeImportOptions>;
export function youtube(options: Partial<YouTubeAppOptions> = {}): FileImportProvider<'youtube', YouTubeImportOptions> {
  const { clientId, clientSecret, baseUrl, ...defaults } = options;
  const fileImport = youtubeFileImport(defaults);
  if (clientId === undefined || clientSecret === undefined)
    return defineProvider({ ...about, capabilities: { fileImport } });
  return defineProvider({
    ...about,
    baseUrl: baseUrl ?? 'https://www.googleapis.com/youtube/v3',
    auth: [authorizationCode({ clientId, clientSecret }), { type: 'file-import' }],
    errors,
    // A project has 10,000 units a day, and nearly each request costs one; all of its users share them.
    limits: [
      { scope: 'app', requests: 10, perMs: 1_000 },
      { scope: 'app', requests: 10_000, perMs: 86_400_000 },
    ],
    capabilities: { fileImport, library, sessionCheck },
  });
}

const about = {
  id: 'youtube',
  name: 'YouTube',
  policy: { retentionDays: 30, source: 'https://developers.google.com/youtube/terms/developer-policies' },
} as const;

export type { ResolvedImportOptions, YouTubeImportOptions } from './schemas.ts';
