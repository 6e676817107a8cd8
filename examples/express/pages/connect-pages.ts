import type { Connection, DeviceStep, FormField, ProviderDescription } from '@mca/core';
import { type Html, html, type Part } from '../web/html.ts';
import type { Session } from '../web/session.ts';
import { csrfField, layout, notice } from './layout.ts';

/** What a form is made of. */
export interface FormView {
  readonly session: Session;
  readonly provider: ProviderDescription;
  /** The strategy, as it stands in the address. */
  readonly way: string;
  /** The one that is to be connected again. */
  readonly connection: Connection | undefined;
  /** What was filled in before, without secrets. */
  readonly filled?: Readonly<Record<string, string>> | undefined;
  readonly wrong?: string | undefined;
}

/** Asks for what the service wants to know. */
export function formPage(view: FormView, fields: readonly FormField[]): string {
  const { session, provider, connection, filled = {} } = view;
  const title = `Connect ${provider.name}${connection ? ' again' : ''}`;
  const body = html`<section class="narrow">
    <h1>${title}</h1>
    ${connectForm(
      view,
      fields.map((each) => field(each, filled[each.name] ?? '')),
    )}
  </section>`;
  return layout({ title, session, body });
}

/** The form around its fields. It says which connection it is about, however often it comes back. */
export function connectForm({ session, provider, way, connection, wrong }: FormView, fields: Part): Html {
  return html`${wrong && notice('bad', html`<p>${wrong}</p>`)}
    <form method="post" action="/services/${provider.id}/${way}" class="card stack">
      ${csrfField(session)}${again(connection?.id)}
      ${fields}
      <div class="row"><button class="button primary">Connect</button><a class="button" href="/">Cancel</a></div>
    </form>`;
}

function again(connectionId: string | undefined): Html | undefined {
  return connectionId === undefined
    ? undefined
    : html`<input type="hidden" name="connectionId" value="${connectionId}" />`;
}

function field({ name, label, kind, optional, help }: FormField, value: string): Html {
  const id = `field-${name}`;
  return html`<div class="stack tight">
    <label for="${id}">${label}${optional && ' (optional)'}</label>
    <input id="${id}" name="${name}" type="${kind}" value="${value}" autocomplete="off" ${!optional && html`required`}
      ${help && html`aria-describedby="${id}-help"`} />
    ${help && html`<p id="${id}-help" class="quiet">${help}</p>`}
  </div>`;
}

/** What the pages of a code are made of. */
export interface DeviceView {
  readonly session: Session;
  readonly provider: ProviderDescription;
  /** Of the one that is to be connected again. */
  readonly connectionId: string | undefined;
}

/** Asks before the service is asked for a code. */
export function beginDevicePage({ session, provider, connectionId }: DeviceView): string {
  const title = `Connect ${provider.name}`;
  const body = html`<section class="narrow">
    <h1>${title}</h1>
    <form method="post" action="/services/${provider.id}/device-code" class="card stack">
      ${csrfField(session)}${again(connectionId)}
      <p>${provider.name} gives you a code. Enter it there, on any device where you are logged in.</p>
      <div class="row"><button class="button primary">Get a code</button><a class="button" href="/">Cancel</a></div>
    </form>
  </section>`;
  return layout({ title, session, body });
}

/** Shows a code. Scripts ask by themselves whether the user has agreed; without them there is a button. */
export function devicePage({
  session,
  provider,
  connectionId,
  step,
  isPending,
}: DeviceView & { readonly step: DeviceStep; readonly isPending?: boolean }): string {
  const title = `Connect ${provider.name}`;
  const here = `/services/${provider.id}/device-code`;
  const address = step.verificationUriComplete ?? step.verificationUri;
  // How long, and not until when: the clock of the browser may be another one.
  const leftMs = Math.max(0, step.expiresAt.getTime() - Date.now());
  const body = html`<section class="narrow">
    <h1>${title}</h1>
    ${isPending && notice('warn', html`<p>${provider.name} has not heard of you yet.</p>`)}
    <form method="post" action="${here}" class="card stack" data-poll-ms="${step.pollAfterMs}" data-poll-for="${leftMs}">
      ${csrfField(session)}${again(connectionId)}<input type="hidden" name="state" value="${step.state}" />
      <p>Open ${
        /^https?:\/\//.test(address)
          ? html`<a href="${address}" target="_blank" rel="noopener">${step.verificationUri}</a>`
          : step.verificationUri
      }, on any device, and enter</p>
      <p class="code">${step.userCode}</p>
      <p class="quiet" role="status" data-poll-text>Good until ${step.expiresAt.toISOString().slice(11, 16)} UTC.</p>
      <div class="row"><button class="button primary">I have agreed</button><a class="button" href="/">Cancel</a></div>
    </form>
  </section>`;
  return layout({ title, session, body });
}
