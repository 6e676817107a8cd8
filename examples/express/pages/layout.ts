import { type Html, html, type Part } from '../web/html.ts';
import type { Job } from '../web/jobs.ts';
import type { Session } from '../web/session.ts';

/** What every page has. */
export interface Layout {
  readonly title: string;
  /** Absent on pages that stand alone. */
  readonly session?: Session | undefined;
  /** Path of the entry in the navigation. */
  readonly current?: string | undefined;
  /** Something is under way: pages without scripts look again by themselves. */
  readonly isBusy?: boolean | undefined;
  readonly body: Html;
}

const NAVIGATION = [
  ['/', 'Services'],
  ['/import', 'Import'],
  ['/history', 'History'],
  ['/search', 'Search'],
  ['/erase', 'Erase'],
] as const;

/** A whole page. */
export function layout({ title, session, current, isBusy, body }: Layout): string {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    ${session && html`<meta name="csrf" content="${session.csrf}" />`}
    ${isBusy && html`<noscript><meta http-equiv="refresh" content="2; url=${current}" /></noscript>`}
    <title>${title} – Media history</title>
    <link rel="icon" href="/static/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/static/app.css" />
    <script src="/static/app.js" type="module"></script>
  </head>
  <body>
    <a class="skip" href="#main">Skip to content</a>
    <header class="top">
      <div class="inner">
        <a class="brand" href="/">Media history</a>
        <nav aria-label="Main">
          ${NAVIGATION.map(
            ([path, name]) => html`<a href="${path}" ${path === current && html`aria-current="page"`}>${name}</a>`,
          )}
        </nav>
      </div>
    </header>
    <main id="main" tabindex="-1">${body}</main>
    <p id="live" class="unseen" role="status"></p>
    <footer class="bottom"><p>A small host of <code>@mca/core</code>. One user per browser; everything stays on this machine.</p></footer>
  </body>
</html>`.markup;
}

/** The field that every form needs. */
export function csrfField({ csrf }: Session): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}" />`;
}

/** Something to know, for everybody: not by colour alone. */
export function notice(kind: 'good' | 'warn' | 'bad', content: Part): Html {
  const mark = { good: '✓', warn: '!', bad: '✕' }[kind];
  return html`<div class="notice ${kind}"><span class="mark" aria-hidden="true">${mark}</span><div>${content}</div></div>`;
}

/** How far a job is. Scripts keep it up to date; without them it is as of when the page was made. */
export function progressOf(job: Job | undefined, label: string): Html | undefined {
  if (!job) return undefined;
  const { text, done, total, outcome } = job.view;
  if (outcome) return notice(outcome === 'partly' ? 'warn' : outcome, html`<p>${text}</p>`);
  return html`<div class="job" data-job="${job.id}">
    <progress aria-label="${label}" ${total !== undefined && html`value="${done}" max="${Math.max(total, 1)}"`}></progress>
    <p class="job-text">${text}</p>
  </div>`;
}

/** A day as people write it. */
export function day(date: Date): Html {
  const iso = date.toISOString();
  const shown = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
  return html`<time datetime="${iso}">${shown}</time>`;
}

/** `1,204` */
export function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Hours, with a decimal where there are few. */
export function hours(milliseconds: number): string {
  const value = milliseconds / 3_600_000;
  return value > 0 && value < 10 ? value.toFixed(1) : number(value);
}
