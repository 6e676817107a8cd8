import { McaError } from '../../contracts/errors.ts';

const LONGEST = 2_048;

/**
 * Checks the address of a user's own server, as typed, and answers it in one spelling. Where it leads is not decided
 * here but when it is connected to.
 *
 * @throws McaError `invalid_data` `bad_base_url`, with a hint for whoever typed it
 */
export function checkBaseUrl(text: string, options: { readonly allowHttp: boolean }): string {
  if (text.length > LONGEST) throw refused(`It is longer than ${LONGEST} characters.`);
  // `URL` drops tabs and line breaks, takes backslashes for slashes and needs no slashes at all: nobody means those.
  if (!/^https?:\/\/[^/]/i.test(text)) throw refused('It has to begin with https:// and the name of the server.');
  if (/[\s\\\p{Cc}\p{Cf}]/u.test(text)) throw refused('Spaces, backslashes and invisible characters are not allowed.');
  if (!URL.canParse(text)) throw refused('It is no address.');
  const url = new URL(text);
  const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1] ?? '';
  if (authority.includes('@')) throw refused('Name and password do not belong into the address.');
  if (text.includes('#') || text.includes('?')) throw refused('Leave out everything from the first "?" or "#" on.');
  if (url.hostname.endsWith('.') || authority.includes('%')) throw refused('The name of the server is not plain.');
  if (url.port === '0') throw refused('There is no port 0.');
  if (url.protocol === 'http:' && !options.allowHttp) throw refused('It has to begin with https://.');
  return url.href.replace(/\/+$/, '');
}

function refused(hint: string): McaError {
  return new McaError({
    code: 'invalid_data',
    reason: 'bad_base_url',
    // Without the text itself: it may hold a password.
    message: 'The address of the server cannot be used.',
    hint,
  });
}
