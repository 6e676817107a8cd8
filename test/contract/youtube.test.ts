import { youtube } from '@mca/core/providers/youtube';
import { providerContext } from '@mca/core/testing';
import { beforeEach, expect, test } from 'vitest';
import { API, TOKEN, videoOf, YouTubeServer } from '../../providers/youtube/__fixtures__/server.ts';
import { type Contract, openContract, watched, whyNot } from './contract.ts';

const NOW = Date.UTC(2026, 8, 10);
const provider = youtube({ clientId: 'app-of-the-host', clientSecret: 'secret-of-the-host' });
const { library, sessionCheck } = provider.capabilities;

let contract: Contract;
beforeEach(async ({ skip }) => {
  if (whyNot !== undefined) skip(whyNot);
  contract ??= await openContract({
    file: 'youtube-v3.openapi.json.gz',
    server: 'https://www.googleapis.com/',
    strict: false,
  });
});

test('what the provider sends, and what the fake answers, is what Google describes', async () => {
  const likes = Array.from({ length: 60 }, (_, index) => ({
    video: videoOf(index),
    at: NOW - index * 60_000,
    owner: 'Rope Lab',
  }));
  const seen = watched(contract, new YouTubeServer(likes).fetch);
  const sign = ({ headers }: { headers: Headers }) => headers.set('authorization', `Bearer ${TOKEN}`);
  const context = providerContext({ provider, fetch: seen.fetch, now: NOW, sign });
  const start = { since: undefined, until: undefined, highWater: undefined, limit: 1_000 };
  await sessionCheck.check(context);
  const { cursor } = await library.fetchPage(context, { ...start, cursor: undefined });
  await library.fetchPage(context, { ...start, cursor });
  expect(seen.faults).toEqual([]);
  expect(seen.requests.map((each) => each.split('?')[0]?.split('/').at(-1))).toEqual([
    ...['channels', 'channels', 'playlistItems', 'videos', 'playlistItems', 'videos'],
  ]);
});

test('negative control: another method, no token', () => {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const posted = new Request(`${API}/videos?part=snippet`, { method: 'PATCH', headers });
  expect(contract.faultsOf(posted)).toEqual(['there is no PATCH /youtube/v3/videos']);
  expect(contract.faultsOf(new Request(`${API}/channels?part=snippet&mine=true`))).toContain(
    'the request is not signed',
  );
});
