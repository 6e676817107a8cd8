import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describeProvider } from '@mca/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectionId, FakeBrowser, startForTest } from './http-rig.ts';
import { providersFor } from './providers.ts';
import { readSettings } from './settings.ts';
import { greeting } from './start.ts';
import { openStorage } from './storage.ts';

/** Modes of the files that SQLite was given, when it was given them. */
const seen: string[] = [];
vi.mock('node:sqlite', async (original) => {
  const real = await original<typeof import('node:sqlite')>();
  class Watched extends real.DatabaseSync {
    constructor(path: string) {
      seen.push(existsSync(path) ? (statSync(path).mode & 0o777).toString(8) : 'not there');
      super(path);
    }
  }
  return { ...real, DatabaseSync: Watched };
});

const given = { DATABASE: ':memory:' };
const PUBLIC = 'https://history.example.org';

describe('the demo service', () => {
  test('is on for this machine, and off where people come from others', () => {
    const isOn = (env: object) => readSettings({ ...given, ...env }).demo;
    expect(isOn({})).toBe(true);
    expect(isOn({ DEMO: '0' })).toBe(false);
    for (const BASE_URL of ['http://localhost:3000', 'http://127.0.0.1:8080/', 'https://[::1]:8443']) {
      expect(isOn({ BASE_URL }), BASE_URL).toBe(true);
    }
    expect(isOn({ BASE_URL: PUBLIC })).toBe(false);
    expect(isOn({ BASE_URL: 'https://127.0.0.1.example.org' })).toBe(false);
  });

  test('asked for beside a public address is refused, with what to do', () => {
    expect(() => readSettings({ ...given, BASE_URL: PUBLIC, DEMO: '1' })).toThrow(/DEMO=1.*BASE_URL.*Leave DEMO out/);
    expect(readSettings({ ...given, BASE_URL: 'http://127.0.0.1:3000', DEMO: '1' }).demo).toBe(true);
    // The process says so in a line, and nothing of where in the code.
    const server = fileURLToPath(new URL('./server.ts', import.meta.url));
    const env = { ...process.env, ...given, BASE_URL: PUBLIC, DEMO: '1', NODE_OPTIONS: '' };
    const args = ['--conditions=@mca/source', '--no-warnings', server];
    const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^DEMO=1 .*\n$/)]);
  });

  test('is said to be off, in one line', async () => {
    const settings = readSettings({ ...given, BASE_URL: PUBLIC });
    const off = greeting({ url: PUBLIC, demo: undefined }, settings).filter((line) => line.includes('demo'));
    expect(off).toEqual(['The demo service is off: BASE_URL is not on this machine.']);
    const app = await startForTest({ BASE_URL: PUBLIC });
    try {
      expect(app.demo).toBeUndefined();
    } finally {
      await app.close();
    }
  });

  test.each(['history.example.org', 'ftp://a.example', 'https://a.example/history', 'http://history.example.org'])(
    'BASE_URL may not be %s',
    (BASE_URL) => {
      expect(() => readSettings({ ...given, BASE_URL })).toThrow('BASE_URL');
    },
  );
});

describe('services by settings', () => {
  const of = (id: string, env: Readonly<Record<string, string>> = {}) => {
    const provider = providersFor(env, 'http://127.0.0.1:3000', undefined).find((each) => each.id === id);
    return provider && describeProvider(provider);
  };

  test('YouTube reads files either way, and likes with a project at Google', () => {
    expect(of('youtube')).toMatchObject({ connect: [], imports: { accept: expect.any(Array) } });
    expect(of('youtube', { GOOGLE_CLIENT_ID: 'id' })).toMatchObject({ connect: [] });
    const live = of('youtube', { GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: 'secret' });
    expect(live).toMatchObject({ connect: [{ type: 'oauth2' }], imports: { accept: expect.any(Array) } });
    expect(live?.capabilities).toContain('library');
  });

  test('servers of users are offered when the operator says so, and not before', () => {
    expect(of('navidrome')).toBeUndefined();
    expect(of('navidrome', { NAVIDROME: '1' })).toMatchObject({ connect: [{ type: 'host-supplied' }] });
    expect(readSettings({ ...given, NAVIDROME: '1' }).ownNetworks).toEqual([]);
    const NAVIDROME_NETWORKS = '192.168.1.0/24, music.home.arpa';
    expect(readSettings({ ...given, NAVIDROME: '1', NAVIDROME_NETWORKS }).ownNetworks).toEqual([
      '192.168.1.0/24',
      'music.home.arpa',
    ]);
    expect(() => readSettings({ ...given, NAVIDROME_NETWORKS })).toThrow('NAVIDROME=1');
  });
});

describe('the file of the database', () => {
  let folder: string;
  let umask: number;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mca-settings-test-'));
    // The most careless of machines.
    umask = process.umask(0);
  });
  afterEach(() => {
    process.umask(umask);
    rmSync(folder, { recursive: true, force: true });
  });
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

  test('is its owner’s alone, and so are the files beside it', async () => {
    const path = join(folder, 'history.db');
    const app = await startForTest({ DATABASE: path });
    try {
      const who = new FakeBrowser(app.url);
      await who.connect();
      expect(await connectionId(who)).not.toBe('');
      for (const end of ['', '-wal', '-shm', '.key']) expect(modeOf(path + end), end).toBe('600');
    } finally {
      await app.close();
    }
  });

  test('becomes so when an earlier version left it open to all', async () => {
    const path = join(folder, 'history.db');
    const before = new DatabaseSync(path);
    before.exec('PRAGMA journal_mode = WAL; CREATE TABLE kept (x); INSERT INTO kept VALUES (1)');
    for (const end of ['', '-wal', '-shm']) chmodSync(path + end, 0o644);
    const store = await openStorage(path, () => {});
    try {
      for (const end of ['', '-wal', '-shm']) expect(modeOf(path + end), end).toBe('600');
      expect(store.database?.prepare('SELECT x FROM kept').get()).toEqual({ x: 1 });
    } finally {
      before.close();
      await store.close();
    }
  });

  test('is there, and closed, before SQLite opens it: it is never wider, not for a moment', async () => {
    seen.length = 0;
    const store = await openStorage(join(folder, 'history.db'), () => {});
    await store.close();
    expect(seen).toEqual(['600']);
  });
});
