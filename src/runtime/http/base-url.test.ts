import { expect, test } from 'vitest';
import { recordFigure } from '../../../test/support/reliability.ts';
import { checkBaseUrl } from './base-url.ts';

const hostile = [
  '',
  'music.example',
  '//music.example',
  'ftp://music.example',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:text/plain,x',
  'gopher://127.0.0.1:6379/_FLUSHALL',
  'https:music.example',
  'https:/music.example',
  'https:///music.example',
  'https:\\\\music.example',
  'https://music.example\\@evil.example',
  'https://user:secret@music.example',
  'https://user@music.example',
  'https://@music.example',
  'https://music.example/#fragment',
  'https://music.example/?query=1',
  'https://music.example/\nhost: evil',
  ' https://music.example',
  'https://mu\tsic.example',
  'https://music.example.',
  'https://%6dusic.example',
  'https://music.example:0/',
  `https://music.example/${'a'.repeat(2_048)}`,
  'https://music.example:99999',
  'https://[::1',
  'https://mu\u200bsic.example',
  'http://music.example',
];

test('R-038 hostile base URLs are refused, with a hint and without repeating them', () => {
  expect(hostile.length).toBeGreaterThanOrEqual(25);
  for (const text of hostile) {
    let error: unknown;
    try {
      checkBaseUrl(text, { allowHttp: false });
    } catch (caught) {
      error = caught;
    }
    expect(error, text).toMatchObject({ code: 'invalid_data', reason: 'bad_base_url', hint: expect.any(String) });
    expect(JSON.stringify(error)).not.toContain('secret');
  }
  recordFigure('R-038', `${hostile.length} of ${hostile.length} hostile base URLs refused`);
});

test('good ones come out in one spelling', () => {
  const good: readonly [string, string][] = [
    ['https://music.example', 'https://music.example'],
    ['HTTPS://Music.Example:443/', 'https://music.example'],
    ['https://music.example/rest//', 'https://music.example/rest'],
    ['https://music.example:4533/a/../b', 'https://music.example:4533/b'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['https://192.168.1.20:8096', 'https://192.168.1.20:8096'],
    ['https://[fd00::1]:8096/', 'https://[fd00::1]:8096'],
  ];
  for (const [text, expected] of good) expect(checkBaseUrl(text, { allowHttp: false })).toBe(expected);
  expect(checkBaseUrl('http://music.home.arpa:4533', { allowHttp: true })).toBe('http://music.home.arpa:4533');
});
