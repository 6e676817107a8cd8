import type { ImportRecord, ProviderDescription } from '@mca/core';
import { type Html, html } from '../web/html.ts';
import type { Job } from '../web/jobs.ts';
import type { Session } from '../web/session.ts';
import { csrfField, day, layout, number, progressOf } from './layout.ts';

/** What the page is made of. */
export interface ImportView {
  readonly session: Session;
  readonly providers: readonly ProviderDescription[];
  readonly imports: readonly ImportRecord[];
  readonly job: Job | undefined;
  readonly isBusy: boolean;
  readonly uploadBytes: number;
}

/** Upload an export, or take the ones that come along. */
export function importPage({ session, providers, imports, job, isBusy, uploadBytes }: ImportView): string {
  const readers = providers.flatMap(({ name, imports: files }) => (files ? [{ name, files }] : []));
  const accept = [...new Set(readers.flatMap(({ files }) => files.accept))].join(',');
  const body = html`<h1>Import files</h1>
    <p class="lead">Services hand out everything they know of you, if you ask. Upload it as it came: zips stay zipped.</p>
    <div id="import-job">${progressOf(job, 'Import')}</div>
    <div class="columns">
      <form method="post" action="/import" enctype="multipart/form-data" class="card stack" data-upload data-most="${uploadBytes}">
        <h2>Upload an export</h2>
        ${csrfField(session)}
        <div class="stack tight">
          <label for="date-order">Dates in Netflix's short file</label>
          <select id="date-order" name="dateOrder">
            <option value="">Find out</option>
            <option value="DMY">Day first: 31/12/24</option>
            <option value="MDY">Month first: 12/31/24</option>
            <option value="YMD">Year first: 2024-12-31</option>
          </select>
        </div>
        <div class="stack tight">
          <label for="file">Files</label>
          <input id="file" type="file" name="file" accept="${accept}" multiple required aria-describedby="file-help" />
          <p id="file-help" class="quiet">One, or several: those of a service are read together. Up to ${number(uploadBytes / 1_048_576)} MB in all. They are removed once they are read.</p>
        </div>
        <progress data-upload-bar hidden max="1" value="0" aria-label="Upload"></progress>
        <p data-upload-text class="quiet" role="status"></p>
        <button class="button primary">Upload and import</button>
      </form>
      <form method="post" action="/import/bundled" class="card stack">
        <h2>Just looking?</h2>
        ${csrfField(session)}
        <p>Six exports of somebody who does not exist come with the examples: Spotify, Netflix, YouTube and TikTok, some 30,000 records.</p>
        <button class="button">Import the bundled exports</button>
      </form>
    </div>
    <div id="imports-list">${imports.length > 0 && importsTable(imports, providers)}</div>
    <section aria-labelledby="what">
      <h2 id="what">What can be read</h2>
      <ul class="facts">
        ${readers.map(({ name, files }) => html`<li><strong>${name}</strong>: ${files.formats.map((format) => format.name).join(', ')}</li>`)}
      </ul>
    </section>`;
  return layout({ title: 'Import files', session, current: '/import', isBusy, body });
}

function importsTable(imports: readonly ImportRecord[], providers: readonly ProviderDescription[]): Html {
  const rows = imports.slice(0, 20).map(({ provider, files, startedAt, counts, status }) => {
    const name = providers.find(({ id }) => id === provider)?.name ?? provider;
    const [file = '', ...more] = files;
    return html`<tr>
      <th scope="row">${file}${more.length > 0 && ` and ${more.length} more`}<span class="quiet">${name}, ${day(startedAt)}, ${status}</span></th>
      <td>${number(counts.read)}</td>
      <td>${number(counts.inserted)}</td>
      <td>${number(counts.rejected)}</td>
    </tr>`;
  });
  return html`<section aria-labelledby="imports">
    <h2 id="imports">Imported</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Imports, as a table">
      <table>
        <thead><tr><th scope="col">File</th><th scope="col">Records</th><th scope="col">New</th><th scope="col">Bad</th></tr></thead>
        <tbody>${rows}</tbody>
      </table>
    </div>
  </section>`;
}
