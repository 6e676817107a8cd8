import { type Cursor, createRegistry, type StreamBatch, streamHistory, streamLibrary } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { fakeProvider } from '@mca/core/testing';
import { expect, test } from 'vitest';
import { DAY, HOUR, liveSetup, playsBefore, START } from '../../test/support/live-setup.ts';

type Setup = Awaited<ReturnType<typeof liveSetup>>;
const stream = ({ registry }: Setup, cursor?: Cursor) =>
  streamHistory(registry, { userId: 'ada', provider: 'fake', ...(cursor && { cursor }) });

/** What a host stores that takes over batch by batch. */
async function readAll(setup: Setup, cursor?: Cursor, most = 1_000): Promise<readonly StreamBatch[]> {
  const batches: StreamBatch[] = [];
  const pages = stream(setup, cursor);
  while (batches.length < most) {
    const { value, done } = await setup.time.until(pages.next());
    if (done) break;
    batches.push(value);
  }
  return batches;
}
const titles = (batches: readonly StreamBatch[]) =>
  new Set(batches.flatMap(({ items }) => items.map(({ title }) => title)));

test('goes on from the cursor of the last batch that was stored', async () => {
  const setup = await liveSetup({ service: { maxLimit: 10 } });
  setup.service.add('ada', ...playsBefore(START, 95));
  const first = await readAll(setup, undefined, 4);
  expect(first.every(({ hasMore }) => hasMore)).toBe(true);
  const rest = await readAll(setup, first.at(-1)?.cursor);
  expect(rest.at(-1)?.hasMore).toBe(false);
  expect(titles([...first, ...rest]).size).toBe(95);
  setup.service.add('ada', { id: 'new', playedAt: START + HOUR, title: 'new' });
  await setup.time.advance(2 * HOUR);
  expect(titles(await readAll(setup, rest.at(-1)?.cursor))).toContain('new');
});

test('a page token that ran out costs a window, and no batch', async () => {
  const setup = await liveSetup({
    service: { maxLimit: 10, pageTokenLifetimeMs: HOUR },
    provider: { overlapMs: HOUR },
  });
  setup.service.add('ada', ...playsBefore(START, 95));
  const first = await readAll(setup, undefined, 4);
  await setup.time.advance(2 * HOUR);
  setup.service.ledger.length = 0;
  const rest = await readAll(setup, first.at(-1)?.cursor);
  expect(setup.service.ledger.map(({ status }) => status)).toEqual([400, 200, 200, 200, 200, 200, 200]);
  expect(titles([...first, ...rest]).size).toBe(95);
});

test('a service that refuses every token is given up after the second try', async () => {
  const setup = await liveSetup({ service: { maxLimit: 10 } });
  setup.service.add('ada', ...playsBefore(START, 30));
  setup.service.intercept = (request) =>
    request.url.includes('page=') ? Response.json({ error: 'page_token_expired' }, { status: 400 }) : undefined;
  await expect(readAll(setup)).rejects.toMatchObject({ code: 'invalid_data', reason: 'cursor_invalid' });
});

test('rejected records come along as they are, without secrets', async () => {
  const raw = { title: 'odd', access_token: 'canary' };
  const page = {
    read: 1,
    items: [],
    skipped: {},
    cursor: '',
    hasMore: false,
    rejected: [{ reason: 'odd', message: 'odd', raw }],
  };
  const setup = await liveSetup({ provider: { history: { fetchPage: async () => page } } });
  const [batch] = await readAll(setup);
  expect(batch?.rejected).toEqual([
    { reason: 'odd', message: 'odd', raw: { title: 'odd', access_token: '[redacted]' } },
  ]);
});

test('the library has a stream and cursors of its own', async () => {
  const { time, service, registry, connection } = await liveSetup();
  service.add('ada', ...playsBefore(START, 5));
  const { capabilities, ...rest } = fakeProvider({ baseUrl: 'https://service.test/v1' });
  const withLibrary = createRegistry({
    providers: [{ ...rest, capabilities: { ...capabilities, library: capabilities.history } }],
    ...memory({ clock: time.clock }),
    ...{ storage: registry.storage, credentials: registry.credentials },
    insecurePlaintextForTests: true,
    env: registry.env,
  });
  const request = { userId: 'ada', provider: 'fake', connectionId: connection.id } as const;
  const { value } = await time.until(streamLibrary(withLibrary, request).next());
  expect(value?.items).toHaveLength(5);
  const foreign = streamHistory(withLibrary, { ...request, cursor: (value as StreamBatch).cursor });
  await expect(time.until(foreign.next())).rejects.toMatchObject({ reason: 'cursor_invalid' });
});

test('closing the registry waits for the page under way, and ends the stream', async () => {
  const setup = await liveSetup({ service: { maxLimit: 10 } });
  setup.service.add('ada', ...playsBefore(START - DAY, 30));
  const pages = stream(setup);
  expect((await setup.time.until(pages.next())).done).toBe(false);
  let isClosed = false;
  const next = pages.next().catch((error: unknown) => ({ error, isClosed }));
  const closing = setup.registry.close().then(() => {
    isClosed = true;
  });
  expect(await setup.time.until(next)).toMatchObject({ error: { code: 'cancelled' }, isClosed: false });
  await setup.time.until(closing);
});
