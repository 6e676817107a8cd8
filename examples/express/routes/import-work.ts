import {
  type AddedProviderId,
  type ImportReport,
  type ImportSource,
  importFile,
  type Registry,
  recogniseFile,
} from '@mca/core';
import { wordsFor } from '../pages/words.ts';
import { describeError } from '../web/describe-error.ts';
import type { JobView } from '../web/jobs.ts';

/** How a file of day precision writes its dates, where it does not say. */
export type DateOrder = 'DMY' | 'MDY' | 'YMD';

/** What to import, and whom to tell. */
export interface ImportWork {
  readonly userId: string;
  readonly files: readonly ImportSource[];
  readonly dateOrder?: DateOrder | undefined;
  readonly signal: AbortSignal;
  readonly tell: (view: JobView) => void;
  readonly log: (line: string) => void;
}

/** Imports exports one after the other; each is a call of its own. */
export async function importAll(registry: Registry, work: ImportWork): Promise<JobView> {
  const { userId, files, signal, tell, log } = work;
  const reports: ImportReport[] = [];
  for (const file of files) {
    const onProgress = ({ counts, bytesRead, bytesTotal = 0 }: Progress): void => {
      const share = bytesTotal > 0 ? Math.min(1, bytesRead / bytesTotal) : 0;
      const done = Math.round(((reports.length + share) / files.length) * 1_000);
      tell({ text: `${nameOf(file)}: ${counts.read.toLocaleString('en-US')} records read`, done, total: 1_000 });
    };
    reports.push(
      await importFile(registry, { userId, file, signal, onProgress, ...(await optionsFor(registry, work, file)) }),
    );
  }
  return importOutcome(reports, log);
}

type Progress = Pick<
  Parameters<NonNullable<Parameters<typeof importFile>[1]['onProgress']>>[0],
  'counts' | 'bytesRead' | 'bytesTotal'
>;

/** Options belong to a provider: where the person chose an order of dates, look first whose file it is. */
async function optionsFor(
  registry: Registry,
  { dateOrder }: ImportWork,
  file: ImportSource,
): Promise<{ readonly provider?: AddedProviderId; readonly options?: object }> {
  if (dateOrder === undefined) return {};
  const [best] = await recogniseFile(registry, file);
  return best?.provider === 'netflix' ? { provider: best.provider, options: { dateOrder } } : {};
}

function nameOf(file: ImportSource): string {
  if (typeof file === 'string') return file.split(/[/\\]/).at(-1) ?? '';
  return 'name' in file ? file.name : 'The file';
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
    ...(sum('skipped') > 0 ? [`${say(sum('skipped'))} left out (ads and the like)`] : []),
    ...(sum('rejected') > 0 ? [`${say(sum('rejected'))} not understood`] : []),
  ];
  const broken = reports.find(({ status }) => status !== 'complete')?.error;
  const why = broken ? ` ${wordsFor(broken, 'import')}` : '';
  const text = `${say(sum('read'))} records read: ${parts.join(', ')}.${why}`;
  return {
    text,
    done: 1_000,
    total: 1_000,
    outcome: reports.every(({ status }) => status === 'complete') ? 'good' : 'partly',
  };
}
