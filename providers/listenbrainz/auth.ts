import type { AuthStrategy } from '@mca/core/provider-kit';

/** A token that the user copies from the settings page. It does not expire; the user can replace it. */
export const userToken: AuthStrategy = {
  type: 'form',
  fields: [
    {
      name: 'token',
      label: 'User token',
      secret: true,
      kind: 'password',
      help: 'https://listenbrainz.org/settings/',
    },
  ],
  sign: ({ headers }, { fields }) => headers.set('authorization', `Token ${fields.token}`),
};
