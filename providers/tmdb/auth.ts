import { type AuthStrategy, McaError, type SignableRequest } from '@mca/core/provider-kit';

const HELP = 'https://www.themoviedb.org/settings/api';

/** The host's own key, for everybody. */
export function keyOfApp(apiKey: string): AuthStrategy {
  const prove = proofBy(apiKey);
  if (prove) return { type: 'none', sign: prove };
  throw new McaError({
    code: 'configuration',
    reason: 'malformed_key',
    provider: 'tmdb',
    message: 'The apiKey given to tmdb() is neither an API Read Access Token nor an API key.',
    hint: `Tokens begin with eyJ, keys have 32 hexadecimal digits. Both are at ${HELP}.`,
  });
}

/** A key that the user copies from the settings page. It does not expire. */
export const keyOfUser: AuthStrategy = {
  type: 'form',
  fields: [{ name: 'apiKey', label: 'API Read Access Token or API key', secret: true, kind: 'password', help: HELP }],
  sign(request, { fields }) {
    const prove = proofBy(fields.apiKey ?? '');
    if (prove) return prove(request);
    throw new McaError({
      code: 'invalid_data',
      reason: 'malformed_key',
      provider: 'tmdb',
      message: 'What was filled in is neither an API Read Access Token nor an API key.',
      hint: `Tokens begin with eyJ, keys have 32 hexadecimal digits. Both are at ${HELP}.`,
    });
  },
};

/** Tokens go into a header; keys are understood in the address only. */
function proofBy(given: string): ((request: SignableRequest) => void) | undefined {
  const key = given.trim();
  if (/^[0-9a-f]{32}$/i.test(key)) return ({ url }) => url.searchParams.set('api_key', key);
  if (/^eyJ[\w.~+/=-]+$/.test(key)) return ({ headers }) => headers.set('authorization', `Bearer ${key}`);
  return undefined;
}
