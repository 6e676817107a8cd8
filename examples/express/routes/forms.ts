import { addConnection, type Connection, McaError, type ProviderDescription } from '@mca/core';
import { type Request, type Response, Router } from 'express';
import type { Context } from '../app.ts';
import { type FormView, formPage } from '../pages/connect-pages.ts';
import { serverPage, serverWords } from '../pages/server-page.ts';
import { keyOf, wordsFor } from '../pages/words.ts';
import { describeError } from '../web/describe-error.ts';
import { sessionOf } from '../web/session.ts';
import { textOf } from '../web/text.ts';
import { connectable, ownConnection } from './known.ts';

type Fields = Readonly<Record<string, string>>;

/**
 * Forms: of services that ask for a token or a name, and of the app itself for servers of one's own, which have no flow.
 * Either way what was filled in goes to `addConnection`, so that opening a form begins nothing that would have to be kept.
 */
export function formRoutes({ registry, turns, log }: Context): Router {
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
    turns.take(session.userId);
    const asked = fieldsOf(provider, view.way);
    const fields = Object.fromEntries(asked.map(({ name }) => [name, textOf(sent[name]) ?? '']));
    const slip = asked.find(({ name, optional }) => !optional && fields[name] === '');
    try {
      if (slip)
        throw new McaError({ code: 'invalid_data', reason: 'invalid_field', message: `${slip.name} is missing` });
      const { userId } = session;
      const connectionId = connection?.id;
      await addConnection(registry, { userId, provider: provider.id, connectionId, credentials: { fields } });
      response.redirect(303, `/?${new URLSearchParams({ connected: provider.id })}`);
    } catch (error) {
      if (!McaError.isInstance(error) || error.reason === 'connection_unknown') throw error;
      log(`connecting ${provider.id}: ${describeError(error)}`);
      const wrong = slip ? `"${slip.label}" is missing.` : wordsOn(view, error);
      // Secrets do not come back into a page.
      const filled = Object.fromEntries(
        asked.filter(({ secret }) => !secret).map(({ name }) => [name, fields[name] ?? '']),
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

function pageOf(view: FormView): string {
  return view.provider.id === 'navidrome' ? serverPage(view) : formPage(view, fieldsOf(view.provider, view.way));
}

function wordsOn({ provider }: FormView, error: McaError): string {
  const own = provider.id === 'navidrome' ? serverWords(keyOf(error)) : undefined;
  if (own) return own;
  if (error.reason === 'rejected') return `${provider.name} does not accept this. Look at it, and try again.`;
  return wordsFor(error, 'connect');
}

/** What is known of a server: its account is the user's name there, and the address. */
function filledBefore(connection: Connection | undefined): Fields {
  if (connection?.provider !== 'navidrome') return {};
  const { account, label = '' } = connection;
  const address = account.slice(label.length + 1);
  return { username: label, url: address ? `https://${address}` : '' };
}
