import type { DeviceStep, FormField, FormStep, ProviderDescription } from '@mca/core';
import { type Html, html } from '../web/html.ts';
import type { Session } from '../web/session.ts';
import { csrfField, layout, notice } from './layout.ts';

interface View {
  readonly session: Session;
  readonly provider: ProviderDescription;
  /** The strategy, as it stands in the address. */
  readonly way: string;
}

/** Asks for what the service wants to know. */
export function formPage({
  session,
  provider,
  way,
  step,
  wrong,
}: View & { readonly step: FormStep; readonly wrong?: string }): string {
  const body = html`<section class="narrow">
    <h1>Connect ${provider.name}</h1>
    ${wrong && notice('bad', html`<p>${wrong}</p>`)}
    <form method="post" action="/services/${provider.id}/${way}" class="card stack">
      ${csrfField(session)}<input type="hidden" name="state" value="${step.state}" />
      ${step.fields.map(field)}
      <div class="row"><button class="button primary">Connect</button><a class="button" href="/">Cancel</a></div>
    </form>
  </section>`;
  return layout({ title: `Connect ${provider.name}`, session, body });
}

function field({ name, label, kind, optional, help }: FormField): Html {
  const id = `field-${name}`;
  return html`<div class="stack tight">
    <label for="${id}">${label}${optional && ' (optional)'}</label>
    <input id="${id}" name="${name}" type="${kind}" autocomplete="off" ${!optional && html`required`}
      ${help && html`aria-describedby="${id}-help"`} />
    ${help && html`<p id="${id}-help" class="quiet">${help}</p>`}
  </div>`;
}

/** Shows a code. Scripts ask by themselves whether the user has agreed; without them there is a button. */
export function devicePage({
  session,
  provider,
  way,
  step,
  isPending,
}: View & { readonly step: DeviceStep; readonly isPending?: boolean }): string {
  const body = html`<section class="narrow">
    <h1>Connect ${provider.name}</h1>
    ${isPending && notice('warn', html`<p>${provider.name} has not heard of you yet.</p>`)}
    <form method="post" action="/services/${provider.id}/${way}" class="card stack" data-poll="/connect/${provider.id}" data-poll-ms="${step.pollAfterMs}">
      ${csrfField(session)}<input type="hidden" name="state" value="${step.state}" />
      <p>Open <a href="${step.verificationUriComplete ?? step.verificationUri}" target="_blank" rel="noopener">${step.verificationUri}</a>, on any device, and enter</p>
      <p class="code">${step.userCode}</p>
      <p class="quiet" role="status" data-poll-text>Good until ${step.expiresAt.toISOString().slice(11, 16)} UTC.</p>
      <div class="row"><button class="button primary">I have agreed</button><a class="button" href="/">Cancel</a></div>
    </form>
  </section>`;
  return layout({ title: `Connect ${provider.name}`, session, body });
}
