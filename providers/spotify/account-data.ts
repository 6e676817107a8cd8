import {
  contentHash,
  eventId,
  type FileFormat,
  type FormatContext,
  type JsonRow,
  jsonFormat,
  parseUtc,
  type RecordResult,
  reject,
  skip,
} from '@mca/core/provider-kit';
import type { ResolvedImportOptions } from './schemas.ts';

/**
 * The history inside *Account data*: the last twelve months, to the minute, by name only.
 *
 * `endTime` is the end of the play, cut to the minute. Equal plays that end in one minute are counted, so two stay two.
 */
export const accountData: FileFormat<ResolvedImportOptions> = jsonFormat<ResolvedImportOptions>({
  id: 'account-data',
  name: 'Account data',
  precision: 'minute',
  rank: 1,
  names: /^streaminghistory(_[a-z]+)?_?\d*\.json$/i,
  recognise({ name, text }) {
    if (!/"endTime"\s*:/.test(text) || !/"msPlayed"\s*:/.test(text))
      return text.trim() === '[]' && accountData.names.test(name) ? 0.6 : 0;
    return 0.95;
  },
  record: play,
});

function play(row: JsonRow, { options, occurrences }: FormatContext<ResolvedImportOptions>): RecordResult {
  const { endTime, msPlayed: played } = row;
  const endedAt = typeof endTime === 'string' ? parseUtc(endTime) : undefined;
  if (endedAt === undefined) return reject('invalid_date', 'endTime is no date and time', 'endTime');
  if (typeof played !== 'number' || !Number.isInteger(played) || played < 0) {
    return reject('invalid_duration', 'msPlayed is no number of milliseconds', 'msPlayed');
  }
  const podcast = typeof row.episodeName === 'string';
  const title = row.trackName ?? row.episodeName ?? row.audiobookName;
  const creator = row.artistName ?? row.podcastName ?? row.authorName;
  if (typeof title !== 'string' || title === '') return skip('no_content');
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
