import type { GroupTally, MediaType, TimelineEntry } from '@mca/core';
import { type Html, html } from '../web/html.ts';
import { hours, number } from './layout.ts';

/** A series of months, with the class that gives it its colour. */
export interface Series {
  readonly type: MediaType | 'time';
  readonly name: string;
  readonly values: ReadonlyMap<string, number>;
}

/** What is drawn. */
export interface MonthsChart {
  readonly title: string;
  readonly series: readonly Series[];
  /** `2024-05` */
  readonly months: readonly string[];
  readonly format: (value: number) => string;
}

const HEIGHT = 100;
const NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Months by their names, so that series of different lengths fit together. */
export function byMonth(
  entries: readonly TimelineEntry[],
  value: (entry: TimelineEntry) => number,
): ReadonlyMap<string, number> {
  return new Map(entries.map((entry) => [entry.date.slice(0, 7), value(entry)]));
}

/** Stacked bars, one a month; a block each year, or each month where there is one year only. The numbers stand below. */
export function monthsChart({ title, series, months, format }: MonthsChart): Html {
  const sums = months.map((month) => series.reduce((sum, { values }) => sum + (values.get(month) ?? 0), 0));
  const most = Math.max(...sums, 0);
  if (most === 0) return html``;
  const years = [...Map.groupBy(months, (month) => month.slice(0, 4)).keys()];
  const isOneYear = years.length === 1;
  const blocks = isOneYear
    ? months.map((month) => ({ label: NAMES[Number(month.slice(5)) - 1] ?? '', slots: [month] }))
    : years.map((year) => ({
        label: year,
        slots: NAMES.map((_, index) => `${year}-${String(index + 1).padStart(2, '0')}`),
      }));
  const best = months[sums.indexOf(most)] ?? '';
  const summary = `${title}: ${months[0]} to ${months.at(-1)}, most in ${best} with ${format(most)}.`;
  return html`<figure class="card chart">
    <figcaption><h2>${title}</h2><p class="quiet">most in a month: ${format(most)}</p></figcaption>
    <div class="plot" role="img" aria-label="${summary}">
      ${blocks.map(
        ({ label, slots }) => html`<div class="block">
          <svg viewBox="0 0 ${slots.length * 10} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            ${slots.map((month, slot) => bar(series, month, slot, HEIGHT / most))}
          </svg>
          <span class="label" aria-hidden="true">${label}</span>
        </div>`,
      )}
    </div>
    ${
      series.length > 1 &&
      html`<ul class="legend">${series.map(({ type, name }) => html`<li><span class="swatch ${type}" aria-hidden="true"></span>${name}</li>`)}</ul>`
    }
    <details><summary>As a table<span class="unseen">: ${title}</span></summary>${table(series, months, format, title)}</details>
  </figure>`;
}

function bar(series: readonly Series[], month: string, slot: number, scale: number): readonly Html[] {
  let top = HEIGHT;
  return series.flatMap(({ type, values }) => {
    const height = (values.get(month) ?? 0) * scale;
    if (height === 0) return [];
    top -= height;
    return [
      html`<rect class="${type}" x="${slot * 10 + 1}" y="${top.toFixed(2)}" width="8" height="${height.toFixed(2)}"></rect>`,
    ];
  });
}

function table(
  series: readonly Series[],
  months: readonly string[],
  format: (value: number) => string,
  title: string,
): Html {
  return html`<div class="scroll tall" tabindex="0" role="region" aria-label="${title}, as a table">
    <table>
      <thead><tr><th scope="col">Month</th>${series.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>
        ${months
          .toReversed()
          .map(
            (month) =>
              html`<tr><th scope="row">${month}</th>${series.map(({ values }) => html`<td>${format(values.get(month) ?? 0)}</td>`)}</tr>`,
          )}
      </tbody>
    </table>
  </div>`;
}

/** A top list with bars. */
export function topList(title: string, type: MediaType, groups: readonly GroupTally[]): Html | undefined {
  const known = groups.filter(({ value }) => value !== '');
  if (known.length === 0) return undefined;
  const most = Math.max(...known.map(({ items }) => items));
  return html`<section class="card top-list">
    <h2>${title}</h2>
    <ol>
      ${known.map(
        ({ value, items, timeSpentMs }) => html`<li>
          <div class="line"><a href="/search?${new URLSearchParams({ q: value }).toString()}">${value}</a>
            <span class="quiet">${number(items)}${timeSpentMs > 0 && html` · ${hours(timeSpentMs)} h`}</span></div>
          <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <rect class="track" width="100" height="4"></rect>
            <rect class="${type}" width="${((items / most) * 100).toFixed(1)}" height="4"></rect>
          </svg>
        </li>`,
      )}
    </ol>
  </section>`;
}
