import { expect, test } from 'vitest';
import { httpUnderTest, jsonAnswer, recordingFetch, testProvider } from '../../../test/support/http-setup.ts';
import { recordFigure } from '../../../test/support/reliability.ts';
import { hostsOf } from './hosts.ts';

const provider = testProvider({ hosts: ['CDN.test.example'] });

test('hosts come from the base URL, the list and the auth endpoints', () => {
  const withAuth = testProvider({
    hosts: ['cdn.test.example', 'localhost:8080'],
    auth: [
      {
        type: 'oauth2',
        clientId: 'id',
        authorizationEndpoint: 'https://login.test.example/authorize',
        tokenEndpoint: 'https://token.test.example/token',
        scopes: [],
      },
      {
        type: 'device-code',
        clientId: 'id',
        tokenEndpoint: 'https://t.test/x',
        deviceEndpoint: 'https://d.test/x',
        scopes: [],
      },
    ],
  });
  expect([...hostsOf(withAuth)].sort()).toEqual([
    'api.test.example',
    'cdn.test.example',
    'd.test',
    'localhost:8080',
    'login.test.example',
    't.test',
    'token.test.example',
  ]);
});

test('paths are relative to the base URL, whatever they look like', async () => {
  const paths: readonly [string, string][] = [
    ['me/tracks', 'https://api.test.example/v1/me/tracks'],
    ['/me/tracks', 'https://api.test.example/v1/me/tracks'],
    ['//evil.example/x', 'https://api.test.example/v1/evil.example/x'],
    ['\\\\evil.example/x', 'https://api.test.example/v1/evil.example/x'],
    ['name:rest', 'https://api.test.example/v1/name:rest'],
    ['javascript:alert(1)', 'https://api.test.example/v1/javascript:alert(1)'],
    ['@evil.example', 'https://api.test.example/v1/@evil.example'],
    ['https://cdn.test.example/next?page=2', 'https://cdn.test.example/next?page=2'],
    ['https://api.test.example/other', 'https://api.test.example/other'],
  ];
  for (const [path, expected] of paths) {
    const { fetch, requests } = recordingFetch(() => jsonAnswer({}));
    const { get, time } = httpUnderTest(fetch, { provider });
    await time.until(get(path));
    expect(requests[0]?.url, path).toBe(expected);
  }
});

test("R-043 a next link to a host that is not the provider's is refused before anything is sent", async () => {
  const hostile = [
    'http://evil.example/page',
    'https://evil.example/page',
    'https://api.test.example.evil.example/',
    'https://api.test.example@evil.example/',
    'https://user:secret@api.test.example/',
    'https:evil.example/page',
    'https:\\\\evil.example\\page',
    'https:/evil.example',
    'HTTPS://EVIL.EXAMPLE/',
    'http://api.test.example/v1/page',
    'https://api.test.example:8443/v1/page',
    'https://api.test.example./v1/page',
    'http://169.254.169.254/latest/meta-data/',
    'http://localhost/x',
    'http://[::1]/x',
    'http://127.0.0.1:9200/',
    'https://evil.example#@api.test.example/',
    'https://evil.example\\@api.test.example/',
    'https://xn--pi-test-8fg.example/',
    'https://',
  ];
  const { fetch, requests } = recordingFetch(() => jsonAnswer({}));
  for (const path of hostile) {
    const { get, time } = httpUnderTest(fetch, { provider });
    await expect(time.until(get(path)), path).rejects.toMatchObject({ code: 'plugin', reason: 'host_not_allowed' });
  }
  expect(requests).toHaveLength(0);
  recordFigure('R-043', `${hostile.length} hostile next links: 0 requests`);
});

test('plain http is for this machine, and for a server whose own address says http', async () => {
  const { fetch, requests } = recordingFetch(() => jsonAnswer({}));
  const loopback = httpUnderTest(fetch, { provider: testProvider({ hosts: ['127.0.0.1:8080'] }) });
  await loopback.time.until(loopback.get('http://127.0.0.1:8080/x'));
  const own = httpUnderTest(fetch, { baseUrl: 'http://music.home.example/rest' });
  await own.time.until(own.get('ping'));
  await own.time.until(own.get('http://music.home.example/rest/next'));
  await expect(own.time.until(own.get('http://api.test.example/x'))).rejects.toMatchObject({ code: 'plugin' });
  expect(requests.map(({ url }) => url)).toEqual([
    'http://127.0.0.1:8080/x',
    'http://music.home.example/rest/ping',
    'http://music.home.example/rest/next',
  ]);
});
