import { navidrome } from '@mca/core/providers/navidrome';
import { providerContext } from '@mca/core/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  ADDRESS,
  AIRSONIC,
  GONIC,
  OLD_NAVIDROME,
  PASSWORD,
  type ServerKind,
  SubsonicServer,
  USER,
} from '../../providers/navidrome/__fixtures__/server.ts';
import { type Contract, openContract, watched, whyNot } from './contract.ts';

const NOW = Date.UTC(2026, 8, 10);
const provider = navidrome();
const { history, sessionCheck } = provider.capabilities;
const [strategy] = provider.auth;
const sign = strategy && 'sign' in strategy ? strategy.sign : undefined;
const start = { cursor: undefined, since: undefined, until: undefined, highWater: undefined, limit: 1_000 };

/** By token and salt, or by the password; with what every request says. */
function isSigned({ url }: Request): boolean {
  const names = [...new URL(url).searchParams.keys()];
  const has = (...all: readonly string[]): boolean => all.every((name) => names.includes(name));
  return has('u', 'v', 'c', 'f') && (has('t', 's') || has('p'));
}

let contract: Contract;
beforeEach(async ({ skip }) => {
  if (whyNot !== undefined) skip(whyNot);
  contract ??= await openContract({
    file: 'opensubsonic.openapi.json.gz',
    server: ADDRESS,
    isSigned,
    commonQuery: ['u', 't', 's', 'p', 'v', 'c', 'f'],
  });
});

function observe(kind: ServerKind, legacyPassword?: 'yes') {
  const server = new SubsonicServer(kind, [
    { id: 'a', title: 'Jóga', album: 'homogenic', artist: 'Björk' },
    { id: 'b', title: 'Hunter', album: 'homogenic', artist: 'Björk' },
  ]);
  server.plays.push({ id: 1, at: NOW / 1_000 - 600, song: 'a' });
  server.playing.push({
    id: 'b',
    title: 'Hunter',
    isDir: false,
    username: USER,
    minutesAgo: 1,
    playerId: 1,
    playerName: 'web',
  });
  // Navidrome's own API is in no description.
  const seen = watched(contract, server.fetch, (url) => url.pathname.includes('/rest/'));
  const fields = { url: ADDRESS, username: USER, password: PASSWORD, ...(legacyPassword && { legacyPassword }) };
  const credentials = { account: 'ana@music.example.org/home', fields };
  return { seen, context: providerContext({ provider, fetch: seen.fetch, now: NOW, sign, credentials }) };
}

test('negative control: a request that is not signed, and a method that there is not', () => {
  expect(contract.faultsOf(new Request(`${ADDRESS}/rest/ping?u=ana&v=1.16.1&c=x&f=json`))).toEqual([
    'the request is not signed',
  ]);
  expect(contract.faultsOf(new Request(`${ADDRESS}/rest/getHistory`))).toEqual([
    'there is no GET /home/rest/getHistory',
  ]);
});

describe('what the provider sends is what OpenSubsonic describes', () => {
  test('to a server that tells when songs were last played', async () => {
    const { seen, context } = observe({ ...GONIC, isSloppy: false });
    await sessionCheck.check(context);
    await history.fetchPage(context, start);
    expect(seen.faults).toEqual([]);
    expect(seen.requests.map((each) => each.split('?')[0])).toEqual(
      ['ping', 'ping', 'getAlbumList2', 'getAlbum'].map((method) => `/home/rest/${method}`),
    );
  });

  test('to a Navidrome without a list of scrobbles', async () => {
    const { seen, context } = observe(OLD_NAVIDROME);
    await history.fetchPage(context, start);
    expect(seen.faults).toEqual([]);
  });

  test('to a plain server that takes the password only', async () => {
    const { seen, context } = observe({ ...AIRSONIC, isSloppy: false }, 'yes');
    await history.fetchPage(context, start);
    // Its answers are those of the protocol before OpenSubsonic.
    expect(seen.faults.filter((fault) => !fault.startsWith('answer: '))).toEqual([]);
    expect(seen.requests.at(-1)).toContain('getNowPlaying');
  });
});
