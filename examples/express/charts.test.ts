import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeBrowser, imported, startForTest } from './http-rig.ts';
import { providersFor } from './providers.ts';
import type { Running } from './start.ts';

let app: Running;
beforeAll(async () => {
  app = await startForTest({ DEMO: '0' });
});
afterAll(() => app.close());

const yearsOn = (page: string): readonly string[] =>
  [...page.matchAll(/href="\/history\?year=(\d+)"/g)].map(([, year = '']) => year);

test('years without plays are not offered, whatever lies around them', async () => {
  const who = new FakeBrowser(app.url);
  const rows = ['"Blue Door","2019-05-01"', '"Sand Hill","2024-05-17"', '"Low Water","2024-06-17"'];
  const csv = Buffer.from(`Title,Date\n${rows.join('\n')}\n`);
  await who.upload(csv, 'NetflixViewingHistory.csv', { dateOrder: 'YMD' });
  await imported(who);
  const page = await who.text('/history');
  expect(yearsOn(page)).toEqual(['2019', '2024']);
  // The chart has a place for each year between them all the same: time does not jump.
  expect(page.match(/class="label" aria-hidden="true">\d{4}</g)).toHaveLength(6);
  expect(yearsOn(await who.text('/history?year=2019'))).toEqual(['2019', '2024']);
  // A year that is not offered, of an address that was kept, shows everything.
  expect(await who.text('/history?year=2021')).toContain('<dd>3</dd>');
});

test('years in which something was only liked or saved are not offered either', async () => {
  const who = new FakeBrowser(app.url);
  const item = { platform: 'songs', type: 'music', title: 'Blue Door', source: 'plays', precision: 'second' };
  const lines = [
    { ...item, externalId: '1', action: 'consumed', consumedAt: '2023-04-01T10:00:00.000Z' },
    { ...item, externalId: '2', action: 'liked', consumedAt: '2011-04-01T10:00:00.000Z' },
  ].map((each) => JSON.stringify(each));
  await who.get('/');
  await who.upload(Buffer.from(`${lines.join('\n')}\n`), 'history.jsonl');
  expect(await imported(who)).toContain('2 new');
  const page = await who.text('/history');
  expect(yearsOn(page)).toEqual(['2023']);
  expect(page).toContain('<dd>1</dd>');
});

test('plays of an unknown date, which Trakt puts into 1970, are left out', () => {
  const trakt = providersFor({ TRAKT_CLIENT_ID: 'id' }, app.url, undefined).find(({ id }) => id === 'trakt');
  const movie = { title: 'Sand Hill', year: 2009, ids: { trakt: 12, slug: 'sand-hill-2009' } };
  const play = (watched_at: string) => ({ id: 7, watched_at, action: 'watch', type: 'movie', movie });
  const told = (at: string) => trakt?.capabilities.history?.replay?.(play(at));
  expect(told('2024-05-01T10:00:00.000Z')).toMatchObject({ items: [{ title: 'Sand Hill' }] });
  expect(told('1970-01-01T00:00:00.000Z')).toMatchObject({ items: [], rejected: [] });
});
