import { deleteItem, McaError, type MediaType, queryItems, summarise, timeline, topGroups } from '@mca/core';
import { Router } from 'express';
import type { Context } from '../app.ts';
import { historyPage } from '../pages/history-page.ts';
import { searchPage } from '../pages/search-page.ts';
import { Refusal } from '../web/security.ts';
import { sessionOf } from '../web/session.ts';
import { textOf } from '../web/text.ts';

const TYPES = ['music', 'video', 'podcast', 'audiobook', 'article', 'book'] as const satisfies readonly MediaType[];
const PAGE = 25;
/** What somebody marked as seen or read without saying when stands at the first instant of 1970. */
const DATED = new Date(1);

/** Charts, search, and taking single items out. */
export function historyRoutes({ registry, timeZone }: Context): Router {
  const router = Router();

  router.get('/history', async (request, response) => {
    const session = sessionOf(response);
    const { userId } = session;
    // The starts of the years in the time zone of the charts, which are what `from` and `to` want.
    const consumed = { userId, action: 'consumed' as const };
    const years = await timeline(registry, { ...consumed, from: DATED, by: 'year', timeZone });
    const wanted = textOf(request.query.year);
    const chosen = years.findIndex(({ date, items }) => items > 0 && date.slice(0, 4) === wanted);
    const start = years[chosen]?.start ?? DATED;
    const dated = {
      ...consumed,
      from: start > DATED ? start : DATED,
      to: chosen === -1 ? undefined : years[chosen + 1]?.start,
    };
    // Lists need no dates.
    const all = chosen === -1 ? consumed : dated;
    const kinds = await topGroups(registry, { ...dated, by: 'type' });
    const types = TYPES.filter((type) => kinds.some(({ value }) => value === type));
    const [inRange, datedInRange, ...months] = await Promise.all([
      summarise(registry, all),
      summarise(registry, dated),
      ...types.map((type) => timeline(registry, { ...dated, type, by: 'month', timeZone })),
    ]);
    const [music, video] = await Promise.all([
      topGroups(registry, { ...all, type: ['music', 'podcast', 'audiobook'], by: 'creator', limit: 8 }),
      topGroups(registry, { ...all, type: 'video', by: 'creator', limit: 8 }),
    ]);
    const withItems = years.filter(({ items }) => items > 0);
    const charts = { years: withItems, chosen: years[chosen], types, months };
    response.send(historyPage({ session, inRange, dated: datedInRange, ...charts, music, video }));
  });

  router.get('/search', async (request, response) => {
    const [q, type, cursor, deleted] = ['q', 'type', 'cursor', 'deleted'].map((name) => textOf(request.query[name]));
    const session = sessionOf(response);
    const chosen = TYPES.find((each) => each === type);
    try {
      const { userId } = session;
      const page = await queryItems(registry, {
        userId,
        text: q,
        type: chosen,
        cursor: cursor || undefined,
        limit: PAGE,
      });
      response.send(searchPage({ session, text: q ?? '', type: chosen, types: TYPES, cursor, page, deleted }));
    } catch (error) {
      // Somebody made up a cursor, or kept one of another version.
      if (!McaError.isInstance(error) || error.reason !== 'cursor_invalid') throw error;
      throw new Refusal(400, 'This page is gone', 'Search again from the start.');
    }
  });

  router.post('/items/delete', async (request, response) => {
    const sent = (request.body ?? {}) as Readonly<Record<string, unknown>>;
    const { userId } = sessionOf(response);
    const isDeleted = await deleteItem(registry, {
      userId,
      platform: textOf(sent.platform) ?? '',
      externalId: textOf(sent.externalId) ?? '',
    });
    const back = ['q', 'type', 'cursor'].map((name) => [name, textOf(sent[name]) ?? '']).filter(([, value]) => value);
    response.redirect(303, `/search?${new URLSearchParams([...back, ['deleted', isDeleted ? 'yes' : 'no']])}`);
  });
  return router;
}
