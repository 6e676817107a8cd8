import {
  type ConnectionPatch,
  type ConnectionRow,
  decodeChange,
  decodeConnection,
  decodeCoverage,
  decodeGroup,
  decodeImport,
  decodeLogEntry,
  decodeSchedule,
  decodeSummary,
  encodeCoverage,
  encodeItem,
  encodeLogEntry,
  encodePatch,
  encodeProgress,
  type ImportProgress,
  type MediaItem,
  type SyncLogEntry,
} from '@mca/core/adapter-kit';
import { expect, test } from 'vitest';

const EMPTY: ConnectionRow = {
  ...{ id: 'c', userId: 'ada', provider: 'spotify', kind: 'api', account: '', label: null },
  ...{ status: 'active', statusReason: null, settings: '{}', grantedScopes: '[]', createdAt: 1 },
  ...{ lastSyncAt: null, authorizedAt: null, authorizationExpiresAt: null },
};

test('a connection has what its row has, and no key for what is absent', () => {
  const [known, empty] = [
    { id: 'c', userId: 'ada', provider: 'spotify' },
    { settings: {}, grantedScopes: [] },
  ];
  expect(decodeConnection(EMPTY)).toStrictEqual({
    ...{ ...known, kind: 'api', account: '', status: 'active', ...empty, createdAt: new Date(1) },
  });
});

test('a patch that is encoded and decoded is what it says; an instant may be 0', () => {
  const patch = {
    ...{ status: 'needs_reauth', statusReason: 'revoked', label: '', settings: { a: [null] }, grantedScopes: ['x'] },
    ...{ lastSyncAt: new Date(0), authorizedAt: new Date(-1), authorizationExpiresAt: new Date(2) },
  } as const satisfies ConnectionPatch;
  expect(decodeConnection({ ...EMPTY, ...Object.fromEntries(encodePatch(patch)) })).toMatchObject(patch);
});

test('a patch names what is neither absent nor undefined, and null clears', () => {
  expect(encodePatch({})).toEqual([]);
  expect(encodePatch({ label: undefined, settings: undefined, authorizedAt: undefined })).toEqual([]);
  expect(encodePatch({ statusReason: null, authorizedAt: null, authorizationExpiresAt: null })).toEqual([
    ['statusReason', null],
    ['authorizedAt', null],
    ['authorizationExpiresAt', null],
  ]);
});

const COVERAGE = [
  { platform: 'spotify', source: 'extended-history', account: 'kid', from: new Date(-1), to: new Date(2.5) },
  { platform: 'spotify', source: 'extended-history', from: new Date(3), to: new Date(3) },
];

test('coverage survives the round trip', () => {
  expect(decodeCoverage(encodeCoverage(COVERAGE))).toStrictEqual(COVERAGE);
  expect(encodeCoverage([])).toBe('[]');
});

test('an import adds up its reasons, and ends when its row says so', () => {
  const progress: ImportProgress = {
    ...{ id: 'i', status: 'partial', startedAt: new Date(1), files: ['a.zip', 'ü'], read: 12, coverage: COVERAGE },
    ...{ skipped: { private: 2, short: 1 }, rejected: { no_date: 4 } },
  };
  const stored = { connectionId: 'c', userId: 'ada', provider: 'spotify', inserted: 1, updated: 2, unchanged: 3 };
  const { connectionId, userId, provider, ...written } = stored;
  const { read, ...rest } = progress;
  const expected = {
    ...{ ...rest, connectionId, userId, provider },
    counts: { read, ...written, skipped: 3, rejected: 4 },
  };
  const row = { ...encodeProgress(progress), ...stored, finishedAt: null };
  expect(decodeImport(row)).toStrictEqual(expected);
  expect(decodeImport({ ...row, finishedAt: 0 })).toStrictEqual({ ...expected, finishedAt: new Date(0) });
});

test('a line of the sync log survives the round trip', () => {
  const counts = { read: 6, inserted: 1, updated: 2, unchanged: 3, skipped: 0, rejected: 0 };
  const entry: SyncLogEntry = {
    ...{ id: 'l', connectionId: 'c', capability: 'history', status: 'partial', pages: 2, counts },
    ...{ startedAt: new Date(1), finishedAt: new Date(2), gaps: [{ from: new Date(-3), to: new Date(0) }] },
  };
  const error = { code: 'upstream', reason: 'timeout', message: 'It took too long.' } as const;
  for (const each of [entry, { ...entry, gaps: [], error }]) {
    expect(decodeLogEntry(encodeLogEntry(each))).toStrictEqual(each);
  }
});

test('a schedule is blocked by 1', () => {
  const row = { capability: 'history', dueAt: 1.5, failures: 2 };
  expect(decodeSchedule({ ...row, blocked: 1 }, 'c')).toEqual({ ...row, connectionId: 'c', blocked: true });
  expect(decodeSchedule({ ...row, blocked: 0 }, 'c')).toEqual({ ...row, connectionId: 'c', blocked: false });
});

test('a change is an item, or the key of one that is gone', () => {
  const key = { userId: 'ada', platform: 'spotify', externalId: '1' };
  const item: MediaItem = {
    ...{ platform: 'spotify', externalId: '1', type: 'music', action: 'consumed', title: 'A', tags: [], ids: {} },
    ...{ consumedAt: new Date(1), source: 's', precision: 'second', rawMetadata: {} },
  };
  const row = { ...encodeItem(item), ...key, sequence: 7, connectionId: 'c', importId: null };
  expect(decodeChange({ ...row, isRemoved: 1 })).toEqual({ type: 'removed', sequence: 7, key });
  expect(decodeChange({ ...row, isRemoved: 0 })).toEqual({
    ...{ type: 'stored', sequence: 7, item: { ...item, userId: 'ada', sequence: 7, connectionId: 'c' } },
  });
});

test('groups and summaries have dates, and no key for what is absent', () => {
  const sums = { items: 2, timeSpentMs: 0.5 };
  const [span, dates] = [
    { firstAt: 0, lastAt: 5 },
    { firstAt: new Date(0), lastAt: new Date(5) },
  ];
  expect(decodeSummary({ ...sums, ...span })).toStrictEqual({ ...sums, ...dates });
  const none = { items: 0, timeSpentMs: 0 };
  expect(decodeSummary({ ...none, firstAt: null, lastAt: null })).toStrictEqual(none);
  const group = { value: 'A', ...sums };
  expect(decodeGroup({ ...group, ...span, creatorOrEmpty: '' })).toStrictEqual({ ...group, ...dates });
  expect(decodeGroup({ ...group, ...span, creatorOrEmpty: 'B' })).toStrictEqual({ ...group, ...dates, creator: 'B' });
});
