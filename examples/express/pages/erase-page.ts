import { html } from '../web/html.ts';
import type { Session } from '../web/session.ts';
import { csrfField, layout, notice, number } from './layout.ts';

/** Asks before everything goes. */
export function erasePage(session: Session): string {
  const body = html`<section class="narrow">
    <h1>Erase my data</h1>
    <p class="lead">Everything that is kept of you here goes, at once and for good.</p>
    <ul>
      <li>your history, and every import and sync</li>
      <li>your connections; the services are asked to forget them, too</li>
      <li>this browser forgets who you are</li>
    </ul>
    <form method="post" action="/erase" class="card stack danger-zone">
      ${csrfField(session)}
      <label class="check"><input type="checkbox" name="sure" value="yes" required /> Yes, erase everything</label>
      <div class="row"><button class="button danger">Erase my data</button><a class="button" href="/">Keep it</a></div>
    </form>
  </section>`;
  return layout({ title: 'Erase my data', session, current: '/erase', body });
}

/** Says that it is done, and which services do not know of it. */
export function erasedPage(items: number, untold: readonly string[]): string {
  const body = html`<section class="narrow">
    <h1>All of it is gone</h1>
    <p class="lead">${number(items)} items were erased. Nothing of you is left here.</p>
    ${untold.length > 0 && notice('warn', html`<p>Could not be told: ${untold.join(', ')}. Take the access back there, too.</p>`)}
    <p><a class="button" href="/">Begin anew</a></p>
  </section>`;
  return layout({ title: 'Erased', body });
}
