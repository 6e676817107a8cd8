import { html } from '../web/html.ts';
import { connectForm, type FormView } from './connect-pages.ts';
import { layout } from './layout.ts';

/** What fails in ways of its own where somebody types in a server. */
const WORDS: Readonly<Record<string, string>> = {
  rejected:
    'The server does not accept this user name and password. Look at both, and try again. If they are right, it may refuse tokens: tick "Send the password itself", if you accept that.',
  invalid_field:
    'The address has to begin with https:// or http://, and to end before "?" and "#". Look at it, and try again.',
  account_mismatch:
    'This is another user, or another server, than before, so nothing was changed. Try again with the same one.',
};

/** Words for a reason that this form has words of its own for. */
export function serverWords(reason: string): string | undefined {
  return Object.hasOwn(WORDS, reason) ? WORDS[reason] : undefined;
}

/** Log-in to a server of one's own. The app asks for it itself: such servers have no page that would send people back. */
export function serverPage(view: FormView): string {
  const { session, filled = {}, connection } = view;
  // The account is the user's name there, and the address.
  const before = connection?.label && connection.account.slice(connection.label.length + 1);
  const title = connection ? 'Connect your server again' : 'Connect a server of your own';
  const fields = html`
      <div class="stack tight">
        <label for="field-url">Address of the server</label>
        <input id="field-url" name="url" type="url" value="${filled.url ?? ''}" required autocomplete="url" aria-describedby="url-help" />
        <p id="url-help" class="quiet">With its path, where it has one: https://example.org/music${before && html`. Before, it was ${before}: begin it with https:// or http://, as it was`}</p>
      </div>
      <div class="stack tight">
        <label for="field-username">User name</label>
        <input id="field-username" name="username" value="${filled.username ?? ''}" required autocomplete="username" />
      </div>
      <div class="stack tight">
        <label for="field-password">Password</label>
        <input id="field-password" name="password" type="password" required autocomplete="current-password" aria-describedby="password-help" />
        <p id="password-help" class="quiet">It is sealed before it is stored. The server knows no sessions, so each request is signed with it.</p>
      </div>
      <div class="stack tight">
        <label class="check"><input type="checkbox" name="legacyPassword" value="yes" aria-describedby="legacy-help" ${filled.legacyPassword === 'yes' && html`checked`} /> Send the password itself</label>
        <p id="legacy-help" class="quiet">Only for servers that refuse tokens. The password then stands in the address of every request, and in the log of every proxy on the way.</p>
      </div>
      <div class="stack tight">
        <label class="check"><input type="checkbox" name="plainLogIn" value="yes" aria-describedby="plain-help" ${filled.plainLogIn === 'yes' && html`checked`} /> Log in without encryption</label>
        <p id="plain-help" class="quiet">Only for a Navidrome at an http address. It tells every play, not the last ones only, but whoever listens on the way reads the password.</p>
      </div>`;
  const body = html`<section class="narrow">
    <h1>${title}</h1>
    <p class="lead">Navidrome, Gonic, Airsonic, and whatever else speaks Subsonic.</p>
    ${connectForm(view, fields)}
  </section>`;
  return layout({ title, session, body });
}
