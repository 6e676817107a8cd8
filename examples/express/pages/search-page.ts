import type { ItemsPage, MediaType, StoredItem } from '@mca/core';
import { type Html, html } from '../web/html.ts';
import type { Session } from '../web/session.ts';
import { TYPE_NAMES } from './history-page.ts';
import { csrfField, day, layout, notice } from './layout.ts';

/** What the page is made of. */
export interface SearchView {
  readonly session: Session;
  readonly text: string;
  readonly type: MediaType | undefined;
  readonly types: readonly MediaType[];
  readonly cursor: string | undefined;
  readonly page: ItemsPage;
  readonly deleted: string | undefined;
}

/** Find something, page by page, and take it out. */
export function searchPage(view: SearchView): string {
  const { session, text, type, types, cursor, page, deleted } = view;
  const here = { ...(text && { q: text }), ...(type && { type }) };
  const body = html`<h1>Search</h1>
    ${deleted === 'yes' && notice('good', html`<p>Deleted for good: no import and no sync brings it back.</p>`)}
    ${deleted === 'no' && notice('warn', html`<p>It was gone already.</p>`)}
    <form method="get" action="/search" role="search" class="search">
      <div class="stack tight grow"><label for="q">Title or creator</label>
        <input id="q" name="q" type="search" value="${text}" autocomplete="off" /></div>
      <div class="stack tight"><label for="type">Type</label>
        <select id="type" name="type"><option value="">All</option>
          ${types.map((each) => html`<option value="${each}" ${each === type && html`selected`}>${TYPE_NAMES[each]}</option>`)}
        </select></div>
      <button class="button primary">Search</button>
    </form>
    ${page.items.length === 0 ? html`<p class="lead">Nothing found.</p>` : html`<ul class="items">${page.items.map((item) => row(view, item))}</ul>`}
    <nav class="row" aria-label="Pages">
      ${cursor && html`<a class="button" href="/search?${new URLSearchParams(here).toString()}">To the newest</a>`}
      ${page.nextCursor && html`<a class="button" rel="next" href="/search?${new URLSearchParams({ ...here, cursor: page.nextCursor }).toString()}">Older</a>`}
    </nav>`;
  return layout({ title: 'Search', session, current: '/search', body });
}

function row({ session, text, type, cursor }: SearchView, item: StoredItem): Html {
  const { title, creator, platform, externalId, consumedAt, url } = item;
  const isLink = url !== undefined && /^https?:\/\//.test(url);
  return html`<li>
    <div class="grow">
      <p class="title">${isLink ? html`<a href="${url}" rel="noopener noreferrer nofollow">${title}</a>` : title}</p>
      <p class="quiet">${creator && html`${creator} · `}${item.rawMetadata.undated === true ? 'no date' : day(consumedAt)} · ${platform} · ${TYPE_NAMES[item.type].toLowerCase()}</p>
    </div>
    <details class="delete">
      <summary>Delete<span class="unseen"> ${title}</span> …</summary>
      <form method="post" action="/items/delete">
        ${csrfField(session)}
        <input type="hidden" name="platform" value="${platform}" /><input type="hidden" name="externalId" value="${externalId}" />
        <input type="hidden" name="q" value="${text}" /><input type="hidden" name="type" value="${type ?? ''}" /><input type="hidden" name="cursor" value="${cursor ?? ''}" />
        <button class="button danger">Delete for good<span class="unseen">: ${title}</span></button>
      </form>
    </details>
  </li>`;
}
