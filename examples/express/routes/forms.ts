import { addConnection, type Connection, type FormField, McaError, type ProviderDescription } from '@mca/core';
import { type Request, type Response, Router } from 'express';
import type { Context } from '../app.ts';
import { type FormView, formPage } from '../pages/connect-pages.ts';
import { serverPage, serverWords } from '../pages/server-page.ts';
import { keyOf, wordsFor } from '../pages/words.ts';
import { describeError } from '../web/describe-error.ts';
import { isNewcomer, sessionOf } from '../web/session.ts';
import { textOf } from '../web/text.ts';
import { connectable, ownConnection } from './known.ts';

type Fields = Readonly<Record<string, string>>;

/**
 * Forms: of services that ask for a token or a name, and of the app itself for servers of one's own, which have no flow.
 * Either way what was filled in goes to `addConnection`, so that opening a form begins nothing that would have to be kept.
 */
export function formRoutes({ registry, jobs, turns, log }: Context): Router {
  const router = Router();

  async function viewOf(request: Request, response: Response, given: unknown): Promise<FormView> {
    const { provider: id = '', way = '' } = request.params as Fields;
    const session = sessionOf(response);
    const provider = connectable(registry, id, way === 'form' ? 'form' : 'host-supplied');
    const connectionId = textOf(given) || undefined;
    const connection = await ownConnection(registry, { ...session, provider: id, connectionId });
    return { session, provider, way, connection, filled: filledBefore(connection) };
  }

  router.get('/services/:provider/:way', async (request, response, next) => {
    if (!isForm(request)) return next();
    response.send(pageOf(await viewOf(request, response, request.query.connectionId)));
  });

  router.post('/services/:provider/:way', async (request, response, next) => {
    if (!isForm(request)) return next();
    const sent = (request.body ?? {}) as Readonly<Record<string, unknown>>;
    const view = await viewOf(request, response, sent.connectionId);
    const { provider, session, connection } = view;
    const asked = fieldsOf(provider, view.way);
    const fields = Object.fromEntries(asked.map(({ name }) => [name, textOf(sent[name]) ?? '']));
    const slip = slipIn(asked, fields);
    let giveBack: (() => void) | undefined;
    try {
      // Nobody is asked for that.
      if (slip) throw new McaError({ code: 'invalid_data', reason: 'invalid_field', message: slip.about });
      const { userId } = session;
      giveBack = turns.take(userId, isNewcomer(response));
      const connectionId = connection?.id;
      const added = await jobs.during(userId, () =>
        addConnection(registry, { userId, provider: provider.id, connectionId, credentials: { fields } }),
      );
      // What the last sync ended with is not true any more.
      jobs.forget(userId, added.id);
      response.redirect(303, `/?${new URLSearchParams({ connected: provider.id })}`);
    } catch (error) {
      if (McaError.isInstance(error) && error.reason === 'invalid_field') giveBack?.();
      if (!McaError.isInstance(error) || error.reason === 'connection_unknown') throw error;
      log(`connecting ${provider.id}: ${describeError(error)}`);
      const wrong = slip?.words ?? wordsOn(view, error);
      // Secrets do not come back into a page.
      const filled = Object.fromEntries(
        asked.map((field) => [field.name, shownAgain(field, fields[field.name] ?? '')]),
      );
      response.status(422).send(pageOf({ ...view, filled, wrong }));
    }
  });
  return router;
}

function isForm(request: Request): boolean {
  const { way } = request.params as Fields;
  return way === 'form' || way === 'host-supplied';
}

function fieldsOf({ connect }: ProviderDescription, way: string) {
  return connect.find(({ type }) => type === way)?.fields ?? [];
}

/** What is wrong before anybody is asked: for the log, and for people. */
function slipIn(
  asked: readonly FormField[],
  fields: Fields,
): { readonly about: string; readonly words: string } | undefined {
  const missing = asked.find(({ name, optional }) => !optional && fields[name] === '');
  if (missing) return { about: `${missing.name} is missing`, words: `"${missing.label}" is missing.` };
  const named = asked.find(({ name, kind }) => kind === 'url' && namesUser(fields[name] ?? ''));
  if (!named) return undefined;
  const words = 'Write the address without user name and password: they have fields of their own.';
  return { about: `${named.name} holds user name and password`, words };
}

/** Secrets do not come back into a page, nor what of an address may be one. */
function shownAgain({ secret, kind }: FormField, value: string): string {
  if (secret || (kind === 'url' && namesUser(value))) return '';
  return kind === 'url' ? (value.split(/[?#]/)[0] ?? '') : value;
}

/** Whether an address holds a user name and a password. One that nobody can read may hold them anywhere. */
function namesUser(address: string): boolean {
  const url = URL.parse(address);
  if (url?.host) return url.username !== '' || url.password !== '';
  return address.includes('@');
}

function pageOf(view: FormView): string {
  return view.provider.id === 'navidrome' ? serverPage(view) : formPage(view, fieldsOf(view.provider, view.way));
}

function wordsOn({ provider }: FormView, error: McaError): string {
  const own = provider.id === 'navidrome' ? serverWords(keyOf(error)) : undefined;
  if (own) return own;
  if (error.reason === 'rejected') return `${provider.name} does not accept this. Look at it, and try again.`;
  return wordsFor(error, 'connect');
}

/** What is known of a server: the user's name there. Of its address nobody knows whether it was http or https. */
function filledBefore(connection: Connection | undefined): Fields {
  return connection?.provider === 'navidrome' ? { username: connection.label ?? '' } : {};
}
