import {
  contentHash,
  eventId,
  type FileFormat,
  type FormatContext,
  isPlausible,
  type JsonRow,
  jsonFormat,
  type PlausibleTimes,
  parseUtc,
  type RecordResult,
  reject,
  skip,
} from '@mca/core/provider-kit';
import { SPOTIFY_BEGAN, TEXT_LENGTH_MAX } from './limits.ts';
import type { ResolvedImportOptions } from './schemas.ts';

/**
 * The history inside *Account data*: the last twelve months, to the minute, by name only.
 *
 * `endTime` is the end of the play, cut to the minute. Equal plays that end in one minute are counted, so two stay two.
 */
export const accountData: FileFormat<ResolvedImportOptions> = jsonFormat<ResolvedImportOptions, PlausibleTimes>({
  id: 'account-data',
  name: 'Account data',
  precision: 'minute',
  rank: 1,
  inParts: true,
  names: /^streaminghistory(_[a-z]+)?_?\d*\.json$/i,
  recognise({ name, text }) {
    if (!/"endTime"\s*:/.test(text) || !/"msPlayed"\s*:/.test(text))
      return text.trim() === '[]' && accountData.names.test(name) ? 0.6 : 0;
    return 0.95;
  },
  prepare: async (_file, context) => ({ earliest: SPOTIFY_BEGAN, now: context.now() }),
  record: play,
});

function play(
  row: JsonRow,
  { options, occurrences }: FormatContext<ResolvedImportOptions>,
  times: PlausibleTimes,
): RecordResult {
  const { endTime, msPlayed: played } = row;
  const endedAt = typeof endTime === 'string' ? parseUtc(endTime) : undefined;
  if (endedAt === undefined) return reject('invalid_date', 'endTime is no date and time', 'endTime');
  if (typeof played !== 'number' || !Number.isInteger(played) || played < 0) {
    return reject('invalid_duration', 'msPlayed is no number of milliseconds', 'msPlayed');
  }
  if (!isPlausible(endedAt, times))
    return reject('implausible_date', 'endTime is before 2006 or in the future', 'endTime');
  if (!isPlausible(endedAt - played, times))
    return reject('invalid_duration', 'msPlayed reaches back to before Spotify', 'msPlayed');
  const podcast = typeof row.episodeName === 'string';
  const title = row.trackName ?? row.episodeName ?? row.audiobookName;
  const creator = row.artistName ?? row.podcastName ?? row.authorName;
  if (typeof title !== 'string' || title === '') return skip('no_content');
  if (title.length > TEXT_LENGTH_MAX) return reject('too_long', 'the title is longer than any', 'title');
  if (typeof creator === 'string' && creator.length > TEXT_LENGTH_MAX)
    return reject('too_long', 'the creator is longer than any', 'creator');
  const content = contentHash(typeof creator === 'string' ? creator : '', title);
  // Counted before anything is left out, so that no option changes the key of another play.
  const occurrence = occurrences.next(`${endedAt}:${content}`);
  if (played < options.skip.shorterThanMs) return skip('too_short');
  return {
    platform: 'spotify',
    externalId: eventId({ at: endedAt, content, occurrence }),
    type: podcast ? 'podcast' : typeof row.audiobookName === 'string' ? 'audiobook' : 'music',
    action: 'consumed',
    title,
    creator: typeof creator === 'string' && creator !== '' ? creator : undefined,
    consumedAt: new Date(endedAt - played),
    timeSpentMs: played,
    tags: [],
    ids: {},
    source: 'account-data',
    precision: 'minute',
    rawMetadata: {},
  };
}
