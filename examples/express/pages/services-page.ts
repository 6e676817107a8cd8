import type { Connection, ProviderDescription } from '@mca/core';
import { type Html, html } from '../web/html.ts';
import type { Job } from '../web/jobs.ts';
import type { Session } from '../web/session.ts';
import { csrfField, day, layout, notice, progressOf } from './layout.ts';
import { ways } from './ways.ts';
import { wordsOf } from './words.ts';

interface Shown {
  readonly connection: Connection;
  readonly job: Job | undefined;
}

/** What the page is made of. */
export interface ServicesView {
  readonly session: Session;
  readonly providers: readonly ProviderDescription[];
  readonly connections: readonly Shown[];
  readonly isBusy: boolean;
  readonly demoUrl: string | undefined;
  /** Query of the address. Anybody can write one: it only chooses among texts of ours. */
  readonly said: unknown;
  readonly now: Date;
}

const SOON_MS = 14 * 86_400_000;

/** What is connected, and what can be. */
export function servicesPage(view: ServicesView): string {
  const { session, providers, connections, isBusy, demoUrl } = view;
  const active = new Set(
    connections.map(({ connection }) => connection.status !== 'disconnected' && connection.provider),
  );
  const body = html`<h1>Your services</h1>
    <p class="lead">Connect what you listen to and watch. Your whole history comes home, once, and stays up to date.</p>
    ${saidAs(view)}
    ${
      connections.length > 0 &&
      html`<section aria-labelledby="connected">
        <h2 id="connected">Connected</h2>
        <ul class="cards">${connections.map((shown) => connectionCard(view, shown))}</ul>
      </section>`
    }
    <section aria-labelledby="available">
      <h2 id="available">Connect a service</h2>
      <ul class="cards">${providers.map((provider) => providerCard(provider, { isConnected: active.has(provider.id), demoUrl }))}</ul>
    </section>`;
  return layout({ title: 'Your services', session, current: '/', isBusy, body });
}

function saidAs({ providers, said }: ServicesView): Html | undefined {
  const { connected, failed, because, disconnected, stopped } = said as Readonly<Record<string, unknown>>;
  const nameOf = (id: unknown): string => providers.find((provider) => provider.id === id)?.name ?? 'The service';
  if (connected)
    return notice('good', html`<p>${nameOf(connected)} is connected. Sync it to bring your history home.</p>`);
  if (failed)
    return notice(
      'bad',
      html`<p>${wordsOf(String(because), 'connect') ?? `${nameOf(failed)} could not be connected. Try again in a while.`}</p>`,
    );
  if (stopped !== undefined) return notice('good', html`<p>Stopped. The next sync goes on from there.</p>`);
  if (disconnected === 'here')
    return notice(
      'warn',
      html`<p>Disconnected here. The service could not be told; take the access back there, too.</p>`,
    );
  return disconnected ? notice('good', html`<p>Disconnected. What came home stays until you erase it.</p>`) : undefined;
}

const STATUS: Readonly<Record<Connection['status'], string>> = {
  active: 'Connected',
  disabled: 'Switched off',
  needs_reauth: 'Connect again',
  disconnected: 'Disconnected',
};

function connectionCard({ session, providers, now }: ServicesView, { connection, job }: Shown): Html {
  const { id, provider: providerId, status, label, account, lastSyncAt, authorizationExpiresAt: endsAt } = connection;
  const provider = providers.find((each) => each.id === providerId);
  const name = provider?.name ?? providerId;
  const isRunning = job !== undefined && job.view.outcome === undefined;
  const isSoon = status === 'active' && endsAt !== undefined && endsAt.getTime() - now.getTime() < SOON_MS;
  return html`<li class="card" id="connection-${id}">
    <div class="head">
      <h3>${name}</h3>
      <span class="badge ${status}">${STATUS[status]}</span>
    </div>
    <p class="quiet">${label ?? account} · ${lastSyncAt ? html`synced ${day(lastSyncAt)}` : 'not synced yet'}
      ${status === 'active' && endsAt && html` · access until ${day(endsAt)}`}</p>
    ${status === 'needs_reauth' && notice('warn', html`<p>${name} no longer lets us in. Connect again: what you missed comes with the next sync.</p>`)}
    ${isSoon && notice('warn', html`<p>Access ends on ${day(endsAt)}. Connect again before, and nothing is missed.</p>`)}
    ${progressOf(job, `Sync of ${name}`)}
    <div class="row">
      ${
        isRunning &&
        html`<form method="post" action="/connections/${id}/stop">
          ${csrfField(session)}<button class="button">Stop<span class="unseen"> the sync of ${name}</span></button>
        </form>`
      }
      ${
        status === 'active' &&
        !isRunning &&
        html`<form method="post" action="/connections/${id}/sync">
          ${csrfField(session)}<button class="button primary">Sync now<span class="unseen"> ${name}</span></button>
        </form>`
      }
      ${
        provider &&
        (status !== 'active' || isSoon) &&
        ways(provider)
          .slice(0, 1)
          .map(
            (way) =>
              html`<a class="button primary" href="${way.href}${way.href.includes('?') ? '&' : '?'}connectionId=${id}">Connect again<span class="unseen"> ${name}</span></a>`,
          )
      }
      ${
        status !== 'disconnected' &&
        html`<form method="post" action="/connections/${id}/disconnect">
          ${csrfField(session)}<button class="button">Disconnect<span class="unseen"> ${name}</span></button>
        </form>`
      }
    </div>
  </li>`;
}

function providerCard(
  provider: ProviderDescription,
  { isConnected, demoUrl }: { readonly isConnected: boolean; readonly demoUrl: string | undefined },
): Html {
  const { id, name, syncs, imports, policy } = provider;
  const [first, ...more] = ways(provider);
  const live = Object.values(syncs).flatMap(({ sources }) => sources.map((source) => source.name));
  return html`<li class="card">
    <div class="head"><h3>${name}</h3>${first ? html`<span class="badge">live</span>` : html`<span class="badge">files</span>`}</div>
    <ul class="facts">
      ${live.length > 0 && html`<li>Syncs: ${live.join(', ').toLowerCase()}</li>`}
      ${imports && html`<li>Reads: ${imports.formats.map((format) => format.name).join(', ')}</li>`}
      ${id === 'songbook' && demoUrl && html`<li>A service on this machine: <a href="${demoUrl}">look at it</a></li>`}
      ${policy.attribution && html`<li>${policy.attribution}</li>`}
    </ul>
    <div class="row">
      ${first && html`<a class="button ${!isConnected && 'primary'}" href="${first.href}">${isConnected ? 'Connect another account' : 'Connect'}<span class="unseen"> ${name}</span></a>`}
      ${imports && html`<a class="button" href="/import">Import files<span class="unseen"> of ${name}</span></a>`}
    </div>
    ${
      more.length > 0 &&
      html`<details>
        <summary>Other ways<span class="unseen"> to connect ${name}</span></summary>
        <ul class="facts">${more.map((way) => html`<li><a href="${way.href}">${way.text}</a></li>`)}</ul>
      </details>`
    }
  </li>`;
}
