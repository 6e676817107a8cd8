import { expect, test } from 'vitest';
import { recordFigure } from '../../test/support/reliability.ts';
import { isSecretName, redact } from './redaction.ts';

const SECRET = 'c4n4ry+S3cr/t=';
const encoded = encodeURIComponent(SECRET);

const addresses = [
  `https://music.example/rest/ping.view?u=ana&p=${encoded}&c=mca`,
  `https://music.example/rest/ping?u=ana&t=${encoded}&s=${encoded}&v=1.16.1`,
  `https://ws.audioscrobbler.com/2.0/?method=user.getRecentTracks&api_key=${encoded}&api_sig=${encoded}&sk=${encoded}`,
  `https://api.themoviedb.org/3/account?api_key=${encoded}&session_id=${encoded}`,
  `https://app.example/callback?code=${encoded}&state=${encoded}`,
  `https://ana:${encoded}@music.example/rest`,
  `https://app.example/cb#access_token=${encoded}&token_type=bearer`,
  `/relative?X-Plex-Token=${encoded}`,
  `https://x.example/?%74oken=${encoded}`,
  `https://x.example/?API_KEY=${encoded};client_secret=${encoded}`,
  `GET https://x.example/a?access_token=${encoded} failed, then https://x.example/b?refresh_token=${encoded}.`,
  `https://x.example/?auth[password]=${encoded}`,
];

test('R-021 secrets in 12 shapes of addresses are redacted by the name of their parameter', () => {
  expect(addresses).toHaveLength(12);
  for (const address of addresses) {
    const safe = redact(address);
    expect(safe, address).not.toContain('S3cr');
    expect(safe).toContain('[redacted]');
  }
  recordFigure('R-021', `${addresses.length} of ${addresses.length} address shapes: 0 secrets left`);
});

test('R-021 secrets are redacted by their value wherever they stand, in every spelling', () => {
  const texts = [
    `nothing names ${SECRET} here`,
    `https://music.example/playlist/${encoded}/tracks`,
    `https://music.example/${encoded.toLowerCase()}`,
    `q=${new URLSearchParams({ q: SECRET })}`,
    JSON.stringify({ x: [SECRET] }),
    `x ${Buffer.from(SECRET).toString('base64')} y`,
  ];
  for (const text of texts) expect(redact(text, [SECRET]), text).not.toMatch(/s3cr|YzRuNHJ5/i);
  expect(redact('a "quoted\\"secret" b', ['quoted"secret'])).not.toContain('secret');
});

test('R-020 secrets in headers, forms and JSON are redacted', () => {
  const texts = [
    `authorization: Bearer ${SECRET}`,
    `Authorization: Basic ${SECRET}`,
    `sent Bearer abcdef${SECRET} to the service`,
    `{"access_token":"${SECRET}","expires_in":3600}`,
    `{"session":{"name":"ana","key":"${SECRET}"}}`,
    `{'refresh_token': '${SECRET}'}`,
    `{"a":{"client_secret" : "${SECRET}"}}`,
    `grant_type=refresh_token&refresh_token=${encoded}&client_id=me`,
    `x-api-key: ${SECRET}\ncookie: a=${SECRET}`,
    `trakt-api-key: ${SECRET}`,
    `code_verifier=${encoded}`,
  ];
  for (const text of texts) expect(redact(text), text).not.toContain('S3cr');
});

test('what is no secret stays readable', () => {
  const texts = [
    'GET https://api.example/v1/me?limit=50&after=10&sort=desc failed',
    '{"title":"The Secret Life","expires_in":3600}',
    'connect ECONNREFUSED 127.0.0.1:443',
    '{"code":"upstream","state":"done"}',
    'status: 500',
    'The token has expired',
    'step 3: tracks',
  ];
  for (const text of texts) expect(redact(text)).toBe(text);
  expect(redact('ab cd', ['ab'])).toBe('ab cd');
});

test('names are known by what they mean', () => {
  for (const name of ['token', 'ACCESS_TOKEN', 'api-key', 'apikey', 'X-Plex-Token', 'sk', 'p', 'client%5Fsecret']) {
    expect(isSecretName(name), name).toBe(true);
  }
  for (const name of ['limit', 'after', 'username', 'page', 'method', '%zz'])
    expect(isSecretName(name), name).toBe(false);
});
