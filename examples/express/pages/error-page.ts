import { html } from '../web/html.ts';
import { layout } from './layout.ts';

/** Says what went wrong, in words that are ours. */
export function errorPage(title: string, message: string): string {
  const body = html`<section class="narrow"><h1>${title}</h1>
    <p class="lead" data-error>${message}</p>
    <p><a class="button" href="/">To the services</a></p></section>`;
  return layout({ title, body });
}
