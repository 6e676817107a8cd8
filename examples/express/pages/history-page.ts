import type { GroupTally, MediaType, Summary, TimelineEntry } from '@mca/core';
import { type Html, html } from '../web/html.ts';
import type { Session } from '../web/session.ts';
import { byMonth, monthsChart, type Series, topList } from './charts.ts';
import { day, hours, layout, number } from './layout.ts';

/** What the page is made of. */
export interface HistoryView {
  readonly session: Session;
  readonly years: readonly TimelineEntry[];
  readonly chosen: TimelineEntry | undefined;
  readonly inRange: Summary;
  /** The same without what has no date. */
  readonly dated: Summary;
  readonly types: readonly MediaType[];
  /** One timeline for each of `types`. */
  readonly months: readonly (readonly TimelineEntry[])[];
  readonly music: readonly GroupTally[];
  readonly video: readonly GroupTally[];
}

/** Names of the types, as they stand on all pages. */
export const TYPE_NAMES: Readonly<Record<MediaType, string>> = {
  music: 'Music',
  video: 'Video',
  podcast: 'Podcasts',
  audiobook: 'Audiobooks',
  article: 'Articles',
  book: 'Books',
};

/** The history in pictures. */
export function historyPage(view: HistoryView): string {
  const { session, inRange } = view;
  const body = html`<h1>Your history</h1>${inRange.items > 0 ? pictures(view) : nothing()}`;
  return layout({ title: 'Your history', session, current: '/history', body });
}

function nothing(): Html {
  return html`<p class="lead">There is nothing yet.</p>
    <p class="row"><a class="button primary" href="/">Connect a service</a><a class="button" href="/import">Import files</a></p>`;
}

function pictures({ years, chosen, inRange, dated, types, months, music, video }: HistoryView): Html {
  const { items, timeSpentMs } = inRange;
  const { firstAt, lastAt } = dated;
  const undated = items - dated.items;
  const seriesOf = (value: (entry: TimelineEntry) => number): readonly Series[] =>
    types.map((type, index) => ({ type, name: TYPE_NAMES[type], values: byMonth(months[index] ?? [], value) }));
  const plays = seriesOf((entry) => entry.items);
  const time = seriesOf((entry) => entry.timeSpentMs).filter(({ values }) => [...values.values()].some((ms) => ms > 0));
  const all = [...new Set(plays.flatMap(({ values }) => [...values.keys()]))].sort();
  const span = monthsBetween(all[0], all.at(-1));
  return html`
    <nav class="years" aria-label="Year">
      <a class="pill" href="/history" ${!chosen && html`aria-current="page"`}>All</a>
      ${years.map(({ date }) => date.slice(0, 4)).map((year) => html`<a class="pill" href="/history?year=${year}" ${chosen?.date.startsWith(year) && html`aria-current="page"`}>${year}</a>`)}
    </nav>
    <dl class="tiles">
      <div><dt>Plays and views</dt><dd>${number(items)}</dd></div>
      ${timeSpentMs > 0 && html`<div><dt>Hours</dt><dd>${hours(timeSpentMs)}</dd></div>`}
      ${firstAt && html`<div><dt>First</dt><dd>${day(firstAt)}</dd></div>`}
      ${lastAt && html`<div><dt>Last</dt><dd>${day(lastAt)}</dd></div>`}
      ${undated > 0 && html`<div><dt>Without a date, or before 1970</dt><dd>${number(undated)}</dd></div>`}
    </dl>
    ${monthsChart({ title: 'Plays and views by month', series: plays, months: span, format: number })}
    ${time.length > 0 && monthsChart({ title: 'Hours by month', series: time, months: span, format: (ms) => `${hours(ms)} h` })}
    <div class="columns">
      ${topList('Most heard', 'music', music)}
      ${topList('Most watched', 'video', video)}
    </div>`;
}

/** All months from one to another, `2024-05`: those without plays, too. */
function monthsBetween(first: string | undefined, last: string | undefined): readonly string[] {
  const months: string[] = [];
  if (!first || !last) return months;
  for (let [year = 0, month = 1] = first.split('-').map(Number); ; month += 1) {
    if (month > 12) [year, month] = [year + 1, 1];
    const name = `${year}-${String(month).padStart(2, '0')}`;
    if (name > last) return months;
    months.push(name);
  }
}
