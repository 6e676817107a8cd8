import {
  type FileFormat,
  type FormatContext,
  type ImportFile,
  type JsonPlace,
  type JsonRow,
  jsonFormat,
  McaError,
  type PlausibleTimes,
  type RecordResult,
  readJsonRecords,
  skip,
} from '@mca/core/provider-kit';
import { SOURCE, TIKTOK_BEGAN, toItem } from './normalise.ts';
import type { ResolvedTikTokOptions } from './schemas.ts';
import { isKnownRoot, recognise, type SectionChoice, sectionChoice, sectionOf } from './sections.ts';

type Context = FormatContext<ResolvedTikTokOptions>;

interface UserDataState {
  readonly choice: SectionChoice;
  readonly times: PlausibleTimes;
  /** Watch of the row before, for finding replays. */
  previous: { readonly id: string; readonly at: number } | undefined;
}

/** What to do when there is nothing to import; also the answer to text exports. */
export const JSON_HINT =
  'In the app: Settings, Account, Download your data, file format JSON; then hand in the zip or the user_data_tiktok.json inside.';

/** `user_data_tiktok.json`, formerly `user_data.json`: all sections of one account in one object. */
export const userData: FileFormat<ResolvedTikTokOptions> = jsonFormat<ResolvedTikTokOptions, UserDataState>({
  id: SOURCE,
  name: 'Your TikTok data (JSON)',
  precision: 'second',
  rank: 1,
  names: /\.json$/i,
  recognise,
  lists: (path) => sectionOf(path) !== undefined,
  prepare,
  warnings: ({ choice }) =>
    choice.isEmpty ? ['The export is genuine, but watch history, likes, favourites and lives are all empty.'] : [],
  record,
});

/** The first pass: whether this is a TikTok export at all, and which lists have records. */
async function prepare(file: ImportFile, context: Context): Promise<UserDataState> {
  const choice = sectionChoice();
  let isKnown = false;
  const lists = (path: readonly string[]): boolean => {
    isKnown ||= path.length === 1 && isKnownRoot(path[0] ?? '');
    return sectionOf(path) !== undefined;
  };
  for await (const { path, records, malformed } of readJsonRecords(file, {
    lists,
    root: 'object',
    signal: context.signal,
  })) {
    if (records.length + malformed.length > 0) choice.found(path);
  }
  if (isKnown) return { choice, times: { earliest: TIKTOK_BEGAN, now: context.now() }, previous: undefined };
  throw new McaError({
    code: 'file_parse_error',
    reason: 'unknown_format',
    provider: 'tiktok',
    message: `${file.name} is JSON, but has none of the sections of a TikTok export.`,
    hint: JSON_HINT,
    position: { file: file.name },
  });
}

function record(row: JsonRow, context: Context, state: UserDataState, { path, key }: JsonPlace): RecordResult {
  const section = sectionOf(path);
  const { sections, skip: leaveOut } = context.options;
  if (!section || !sections[section]) return skip('section_off');
  if (!state.choice.isChosen(path)) return skip('duplicate_section');
  const result = toItem(row, section, key, state.times);
  if (section !== 'watch' || leaveOut.replaysWithinMs === undefined || !('externalId' in result)) return result;
  const watch = { id: result.contentId ?? '', at: result.consumedAt.getTime() };
  const { previous } = state;
  state.previous = watch;
  const isReplay = previous?.id === watch.id && Math.abs(previous.at - watch.at) <= leaveOut.replaysWithinMs;
  return isReplay ? skip('replay') : result;
}
