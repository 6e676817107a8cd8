import { type AnyProvider, createRegistry, importFile, type McaEvent } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { defineProvider } from '@mca/core/provider-kit';
import { netflix } from '@mca/core/providers/netflix';
import { spotify } from '@mca/core/providers/spotify';
import { describe, expect, test } from 'vitest';
import { history, plays } from '../../test/support/spotify-rows.ts';

const plain = defineProvider({ id: 'plain', name: 'Plain', capabilities: {} });
const oauth = {
  type: 'oauth2',
  clientId: 'id',
  tokenEndpoint: 'https://example.invalid/token',
  authorizationEndpoint: 'https://example.invalid/authorize',
  scopes: [],
} as const;
const device = { ...oauth, type: 'device-code', deviceEndpoint: 'https://example.invalid/device' } as const;

describe('registration refuses', () => {
  const cases: [string, AnyProvider | unknown, string][] = [
    ['a malformed id', { ...plain, id: 'Plain' }, 'malformed_id'],
    ['an id that begins with a digit', { ...plain, id: '1plain' }, 'malformed_id'],
    ['an endless id', { ...plain, id: 'p'.repeat(64) }, 'malformed_id'],
    ['no id', { ...plain, id: undefined }, 'malformed_id'],
    ['another contract', { ...plain, apiVersion: 2 }, 'api_version'],
    ['an unknown capability', { ...plain, capabilities: { teleport: {} } }, 'unknown_capability'],
    ['a limit of nothing', { ...plain, limits: [{ scope: 'app', requests: 0, perMs: 1000 }] }, 'impossible_limit'],
    [
      'a limit without end',
      { ...plain, limits: [{ scope: 'app', requests: 1, perMs: Number.POSITIVE_INFINITY }] },
      'impossible_limit',
    ],
    ['a limit of nobody', { ...plain, limits: [{ scope: 'user', requests: 1, perMs: 1000 }] }, 'impossible_limit'],
    ['OAuth without client id', { ...plain, auth: [{ ...oauth, clientId: ' ' }] }, 'invalid_oauth'],
    [
      'OAuth over http',
      { ...plain, auth: [{ ...oauth, tokenEndpoint: 'http://example.invalid/token' }] },
      'invalid_oauth',
    ],
    [
      'OAuth without authorization endpoint',
      { ...plain, auth: [{ ...oauth, authorizationEndpoint: '' }] },
      'invalid_oauth',
    ],
    [
      'a device code without endpoint',
      { ...plain, auth: [{ ...oauth, type: 'device-code', deviceEndpoint: 'x' }] },
      'invalid_oauth',
    ],
    [
      'a device code that is polled without encryption',
      { ...plain, auth: [{ ...device, poll: { endpoint: 'http://example.invalid/poll' } }] },
      'invalid_oauth',
    ],
    ...[{ Authorization: 'Basic eA==' }, { 'x-key': 'a\nb' }, { 'user-agent': '音楽/1.0' }].map(
      (tokenHeaders): [string, unknown, string] => [
        `token headers ${JSON.stringify(tokenHeaders)}`,
        { ...plain, auth: [{ ...oauth, tokenHeaders }] },
        'invalid_oauth',
      ],
    ),
  ];
  for (const [what, provider, reason] of cases) {
    test(what, () => {
      expect(() => createRegistry({ providers: [provider as AnyProvider], ...memory() })).toThrow(
        expect.objectContaining({ code: 'configuration', reason, hint: expect.any(String) }),
      );
    });
  }

  test('a factory that was not called, and a client id that is not set, with what to do', () => {
    const hintOf = (provider: unknown) => {
      try {
        createRegistry({ providers: [provider as AnyProvider], ...memory() });
      } catch (error) {
        return (error as { hint?: string }).hint;
      }
      return undefined;
    };
    expect(hintOf(netflix)).toContain('Call factories: netflix().');
    expect(hintOf(spotify({ clientId: '' }))).toContain('Is its environment variable set?');
  });

  test('the same id twice', () => {
    expect(() => createRegistry({ providers: [plain, plain], ...memory() })).toThrow(
      expect.objectContaining({ code: 'configuration', reason: 'duplicate_id' }),
    );
  });

  test('nothing that can work', () => {
    const loopback = { ...oauth, tokenEndpoint: 'http://127.0.0.1:8080/token' };
    const providers = [
      {
        ...plain,
        auth: [oauth, loopback, { ...device, poll: { endpoint: 'https://example.invalid/poll' } }],
        limits: [{ scope: 'connection', requests: 5, perMs: 1000, concurrency: 2 }],
      } as const,
    ];
    const keys = { ...memory(), insecurePlaintextForTests: true };
    expect(createRegistry({ providers, ...keys }).list()).toHaveLength(1);
  });
});

describe('R-026 a provider that logs in', () => {
  const providers = [{ ...plain, auth: [oauth] }] as const;

  test('needs keys to seal credentials with, said when it is registered', () => {
    const refusal = expect.objectContaining({ code: 'configuration', reason: 'no_keys' });
    expect(() => createRegistry({ providers, ...memory() })).toThrow(refusal);
    expect(() => createRegistry({ providers: [], ...memory() }).add(providers[0])).toThrow(refusal);
  });

  test('needs somewhere to keep them', () => {
    const { storage } = memory();
    const refusal = expect.objectContaining({ code: 'configuration', reason: 'no_credential_store' });
    expect(() => createRegistry({ providers, storage, insecurePlaintextForTests: true })).toThrow(refusal);
  });
});

describe('at run time', () => {
  test('providers come and go', async () => {
    const registry = createRegistry({ providers: [netflix()], ...memory() });
    const id = registry.add(spotify());
    expect(registry.get(id).name).toBe('Spotify');
    expect(
      (await importFile(registry, { userId: 'ana', provider: id, file: history(plays(0, 3)) })).counts.inserted,
    ).toBe(3);
    expect(registry.remove(id)).toBe(true);
    expect(registry.remove(id)).toBe(false);
    expect(() => registry.get(id)).toThrow(expect.objectContaining({ code: 'not_found', reason: 'unknown_provider' }));
    expect(registry.withCapability('fileImport').map((provider) => provider.id)).toEqual(['netflix']);
    expect(registry.withCapability('history')).toEqual([]);
  });

  test('the storage is migrated once, and again only after it failed', async () => {
    const { storage } = memory();
    let calls = 0;
    const migrate = async () => {
      calls += 1;
      if (calls === 1) throw new Error('not yet');
    };
    const registry = createRegistry({ providers: [], storage: { ...storage, migrate } });
    await expect(registry.ready()).rejects.toThrow('not yet');
    await Promise.all([registry.ready(), registry.ready(), registry.ready()]);
    expect(calls).toBe(2);
  });

  test('an onEvent that throws is logged and hurts nobody', async () => {
    const logged: unknown[] = [];
    const log = (_message: string, fields?: object) => void logged.push(fields);
    const registry = createRegistry({
      providers: [spotify()],
      ...memory(),
      env: { logger: { debug: log, info: log, warn: log, error: log } },
      onEvent: (event: McaEvent) => {
        throw new Error(`deaf to ${event.type}`);
      },
    });
    expect((await importFile(registry, { userId: 'ana', file: history(plays(0, 3)) })).status).toBe('complete');
    expect(logged).toContainEqual({ event: 'import_finished', message: 'deaf to import_finished' });
  });
});
