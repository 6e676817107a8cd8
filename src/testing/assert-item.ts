import assert from 'node:assert/strict';
import type { SourceInfo } from '../contracts/capabilities/file-import.ts';
import type { MediaItem } from '../contracts/media-item.ts';

/** Who gave an item, and what it may say of itself. */
export interface GivenBy {
  readonly platform: string;
  readonly sources: Readonly<Record<string, SourceInfo>>;
  /** Set for importers of back-ups, whose items belong to other platforms. */
  readonly anyPlatform?: boolean | undefined;
  /** Epoch milliseconds; items of later than two days from then are refused. @default times are not looked at */
  readonly now?: number | undefined;
}

const PRECISIONS = ['second', 'minute', 'hour', 'day'];
const TYPES = ['music', 'video', 'podcast', 'audiobook', 'article', 'book'];
const ACTIONS = ['consumed', 'liked', 'saved', 'rated'];
const EARLIEST = Date.UTC(1990, 0, 1);
/** As `isPlausible` of the provider kit has it. */
const AHEAD_ALLOWED_MS = 48 * 3_600_000;

/** Fails for an item that the engine would refuse, and for what it does not look at for the sake of speed. */
export function assertItem(item: MediaItem, { platform, sources, anyPlatform, now }: GivenBy): void {
  assert.ok(PRECISIONS.includes(item.precision), 'an item has an unknown precision');
  if (!anyPlatform) {
    assert.equal(item.platform, platform);
    const declared = sources[item.source];
    assert.ok(declared, `source "${item.source}" is not declared`);
    assert.ok(
      PRECISIONS.indexOf(item.precision) >= PRECISIONS.indexOf(declared.precision),
      `an item of ${item.source} claims to know its time better than declared`,
    );
  }
  assert.ok(TYPES.includes(item.type), 'an item has an unknown type');
  assert.ok(ACTIONS.includes(item.action), 'an item has an unknown action');
  assert.ok(isText(item.title), 'an item has no title');
  assert.ok(isText(item.externalId) && item.externalId.length <= 512, 'an externalId is empty or too long');
  const { consumedAt, rating, rawMetadata } = item;
  assert.ok(consumedAt instanceof Date && !Number.isNaN(consumedAt.getTime()), 'an item has no valid consumedAt');
  if (now !== undefined)
    assert.ok(
      consumedAt.getTime() >= EARLIEST && consumedAt.getTime() <= now + AHEAD_ALLOWED_MS,
      `an item is of ${consumedAt.toISOString()}: before 1990, or more than two days ahead of \`now\``,
    );
  for (const amount of [item.timeSpentMs, item.durationMs])
    assert.ok(
      amount === undefined || (amount >= 0 && amount < Number.POSITIVE_INFINITY),
      'an impossible amount of time',
    );
  assert.ok(rating === undefined || (rating >= 0 && rating <= 10), 'a rating is outside 0 to 10');
  assert.ok(Array.isArray(item.tags) && item.tags.every(isText), 'an item has no list of tags, or an empty tag');
  assert.ok(isRecord(item.ids), 'an item has no ids');
  for (const [name, id] of Object.entries(item.ids))
    assert.ok(id === undefined || isText(id), `the id "${name}" is no text, or empty`);
  if (item.ids.isrc !== undefined)
    assert.match(item.ids.isrc, /^[A-Z]{2}[A-Z0-9]{3}\d{7}$/, 'an ISRC is not twelve characters without dashes');
  assert.ok(isRecord(rawMetadata), 'an item has no rawMetadata');
  assert.ok(JSON.stringify(rawMetadata).length <= 16_384, 'rawMetadata is over 16 KiB');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
