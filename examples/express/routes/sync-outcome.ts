import type { SyncReport } from '@mca/core';
import { NOTHING_READABLE, wordsFor, wordsOf } from '../pages/words.ts';
import { describeError } from '../web/describe-error.ts';
import type { JobView } from '../web/jobs.ts';

type Told = Pick<SyncReport, 'status' | 'provider' | 'capability' | 'counts' | 'reason' | 'error'>;

/** What the reports of a sync mean to a person; what went wrong goes into the log besides. */
export function syncOutcome(reports: readonly Told[], log: (line: string) => void): JobView {
  for (const { provider, capability, error } of reports) {
    // That somebody pressed "Stop" is no failure.
    if (error && error.code !== 'cancelled') log(`${provider} ${capability}: ${describeError(error)}`);
  }
  const sum = (name: keyof SyncReport['counts']): number => reports.reduce((all, { counts }) => all + counts[name], 0);
  const [done, fresh] = [sum('read'), sum('inserted') + sum('updated')];
  const news = fresh === 0 ? 'Nothing new.' : `${fresh.toLocaleString('en-US')} new.`;
  const stuck = reports.find(({ status }) => status === 'failed' || status === 'skipped');
  if (stuck) {
    const text = wordsOfStuck(stuck);
    // Others may have brought something home before.
    return { text: fresh === 0 ? text : `${news} ${text}`, done, total: done, outcome: 'bad' };
  }
  const partly = reports.find(({ status }) => status !== 'complete');
  if (!partly) return { text: `${news} Everything is here.`, done, total: done, outcome: 'good' };
  const why = partly.error ? ` ${wordsFor(partly.error, 'sync')}` : '';
  if (sum('rejected') > 0 && sum('rejected') === sum('read'))
    return { text: NOTHING_READABLE, done, outcome: 'partly' };
  const rest =
    partly.error?.reason === 'coverage_gap' ? '' : ' What came is kept, and the next sync goes on from there.';
  return { text: `${news}${why}${rest}`, done, outcome: 'partly' };
}

function wordsOfStuck({ reason, error }: Told): string {
  if (error?.code === 'auth_expired') return wordsOf('needs_reauth') ?? '';
  if (error) return wordsFor(error, 'sync');
  return wordsOf(reason ?? '') ?? 'Nothing was done. Try again later.';
}
