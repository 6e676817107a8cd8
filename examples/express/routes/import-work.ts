import {
  type AddedProviderId,
  type ImportReport,
  type ImportSource,
  importFile,
  McaError,
  type Registry,
  recogniseFile,
} from '@mca/core';
import { NOTHING_UNDERSTOOD, wordsFor } from '../pages/words.ts';
import { describeError } from '../web/describe-error.ts';
import type { JobView } from '../web/jobs.ts';

/** How a file of day precision writes its dates, where it does not say. */
export type DateOrder = 'DMY' | 'MDY' | 'YMD';

/** As sure as `importFile` wants to be that a file is somebody's. */
const SURE_ENOUGH = 0.5;

/** What to import, and whom to tell. */
export interface ImportWork {
  readonly userId: string;
  readonly files: readonly ImportSource[];
  readonly dateOrder?: DateOrder | undefined;
  readonly signal: AbortSignal;
  readonly tell: (view: JobView) => void;
  readonly log: (line: string) => void;
}

/** Imports what belongs together in one call, and one service after the other. */
export async function importAll(registry: Registry, work: ImportWork): Promise<JobView> {
  const { userId, files, dateOrder, signal, tell, log } = work;
  const groups = await groupsOf(registry, files);
  const reports: Told[] = [];
  let before = 0;
  for (const { provider, files: own } of groups) {
    const onProgress = ({ counts, bytesRead, bytesTotal = 0 }: Progress): void => {
      const share = bytesTotal > 0 ? Math.min(1, bytesRead / bytesTotal) : 0;
      const done = Math.round(((before + share * own.length) / files.length) * 1_000);
      tell({ text: `${nameOf(own)}: ${counts.read.toLocaleString('en-US')} records read`, done, total: 1_000 });
    };
    // Options belong to a provider.
    const chosen = provider === 'netflix' && dateOrder ? { provider, options: { dateOrder } } : {};
    try {
      reports.push(await importFile(registry, { userId, file: own, signal, onProgress, ...chosen }));
    } catch (error) {
      // What stops one does not stop the others.
      if (groups.length === 1 || signal.aborted || !McaError.isInstance(error)) throw error;
      reports.push({ status: 'failed', provider: provider ?? 'nobody', counts: NONE, error });
    }
    before += own.length;
  }
  return importOutcome(reports, log);
}

const NONE = { read: 0, inserted: 0, updated: 0, unchanged: 0, skipped: 0, rejected: 0 };

interface Group {
  readonly provider: AddedProviderId | undefined;
  readonly files: readonly ImportSource[];
}

/** Files by whose they are: some tell only together what was meant. What nobody knows goes with the only others. */
async function groupsOf(registry: Registry, files: readonly ImportSource[]): Promise<readonly Group[]> {
  const owned: { readonly file: ImportSource; readonly provider: AddedProviderId | undefined }[] = [];
  // One after the other: archives are opened for it.
  for (const file of files) owned.push({ file, provider: await ownerOf(registry, file) });
  const providers = [...new Set(owned.map(({ provider }) => provider))];
  const known = providers.filter((provider) => provider !== undefined);
  const [only] = known;
  if (only !== undefined && known.length === 1) return [{ provider: only, files }];
  return [...known, ...(providers.length > known.length ? [undefined] : [])].map((provider) => ({
    provider,
    files: owned.filter((each) => each.provider === provider).map(({ file }) => file),
  }));
}

type Progress = Pick<
  Parameters<NonNullable<Parameters<typeof importFile>[1]['onProgress']>>[0],
  'counts' | 'bytesRead' | 'bytesTotal'
>;

async function ownerOf(registry: Registry, file: ImportSource): Promise<AddedProviderId | undefined> {
  try {
    const [best] = await recogniseFile(registry, file);
    return best && best.confidence >= SURE_ENOUGH ? best.provider : undefined;
  } catch (error) {
    // What is wrong with it is told when it is imported.
    if (McaError.isInstance(error)) return undefined;
    throw error;
  }
}

/** The first of them, and how many there are. */
function nameOf([file = '', ...more]: readonly ImportSource[]): string {
  const name = typeof file === 'string' ? (file.split(/[/\\]/).at(-1) ?? '') : 'name' in file ? file.name : 'The file';
  return more.length > 0 ? `${name} and ${more.length} more` : name;
}

type Told = Pick<ImportReport, 'status' | 'provider' | 'counts' | 'error'>;

/** What the reports of imports mean to a person; what went wrong goes into the log besides. */
export function importOutcome(reports: readonly Told[], log: (line: string) => void): JobView {
  for (const { provider, error } of reports) {
    if (error && error.code !== 'cancelled') log(`import of ${provider}: ${describeError(error)}`);
  }
  const sum = (name: keyof ImportReport['counts']): number =>
    reports.reduce((all, { counts }) => all + counts[name], 0);
  const say = (count: number): string => count.toLocaleString('en-US');
  const known = sum('unchanged') + sum('updated');
  const parts = [
    `${say(sum('inserted'))} new`,
    ...(known > 0 ? [`${say(known)} known before`] : []),
    ...(sum('skipped') > 0 ? [`${say(sum('skipped'))} left out on purpose`] : []),
    ...(sum('rejected') > 0 ? [`${say(sum('rejected'))} not understood`] : []),
  ];
  const broken = reports.find(({ status }) => status !== 'complete')?.error;
  // Where nothing at all was understood, it is not about some records.
  const isStrange = sum('rejected') > 0 && sum('rejected') === sum('read');
  const why = isStrange ? ` ${NOTHING_UNDERSTOOD}` : broken ? ` ${wordsFor(broken, 'import')}` : '';
  const text = `${say(sum('read'))} records read: ${parts.join(', ')}.${why}`;
  return {
    text,
    done: 1_000,
    total: 1_000,
    outcome: reports.every(({ status }) => status === 'complete') ? 'good' : 'partly',
  };
}
