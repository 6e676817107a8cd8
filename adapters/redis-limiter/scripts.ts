import { createHash } from 'node:crypto';

/** A script, the name that Redis knows it by once it has run, and what its answers look like. */
export interface Script<Answer = unknown> {
  readonly code: string;
  readonly sha: string;
  /** `undefined` for what the script cannot have said: then it was not Redis that answered, or not this script. */
  readonly read: (answer: unknown) => Answer | undefined;
}

/** What {@link TAKE} answers: 1 yes, 0 no, 2 what was counted is gone; and when to ask again. */
export interface Grant {
  readonly granted: 0 | 1 | 2;
  readonly waitMs: number;
}

// Time is Redis' own everywhere: the clocks of machines differ.
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

// No window may outlive what is counted for it. Machines may have been given different margins: never shorter than it is.
const KEEP = `
local function keep(perMs, marginMs)
  local ms = 2 * perMs + marginMs + 1000
  if redis.call('PTTL', KEYS[1]) < ms then redis.call('PEXPIRE', KEYS[1], ms) end
end
`;

/**
 * Takes a start if the window has room. Members are starts, scores say until when at the latest their request reaches the
 * service.
 *
 * Keys: starts, pause. Arguments: requests, perMs, marginMs, member, member before it that has to be known or ''.
 * Answers {granted, ms to wait before the next}: 1 yes, 0 no, 2 what was counted is gone.
 */
export const TAKE: Script<Grant> = script(
  `${NOW}${KEEP}
local requests, perMs, marginMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return {0, paused} end
if ARGV[5] ~= '' and not redis.call('ZSCORE', KEYS[1], ARGV[5]) then return {2, 0} end
local latest = now + marginMs
-- After Redis' clock was set back nobody waits until it has caught up.
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. latest, '+inf')) do
  redis.call('ZADD', KEYS[1], latest, member)
end
redis.call('ZREM', KEYS[1], ARGV[4])
-- The last start stays for a while: that it is gone tells that Redis lost its memory.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (now - 2 * perMs - marginMs))
local function waitMs()
  local oldest = redis.call('ZRANGE', KEYS[1], -requests, -requests, 'WITHSCORES')[2]
  if not oldest then return 0 end
  return math.max(0, oldest + perMs + 1 - now)
end
local wait = waitMs()
if wait > 0 then return {0, wait} end
redis.call('ZADD', KEYS[1], latest, ARGV[4])
keep(perMs, marginMs)
return {1, waitMs()}`,
  grantOf,
);

/** The work of a start is over, so its request has reached the service by now. Keys: starts. Arguments: member. */
export const SETTLE: Script<number> = script(
  `${NOW}
local latest = redis.call('ZSCORE', KEYS[1], ARGV[1])
if latest and now < tonumber(latest) then redis.call('ZADD', KEYS[1], now, ARGV[1]) end
return 0`,
  only(0),
);

/** A start that was not made. Keys: starts. Arguments: member. */
export const GIVE_BACK: Script<number> = script(`return redis.call('ZREM', KEYS[1], ARGV[1])`, numberOf);

/**
 * Starts that Redis was not asked about, or has forgotten. Keys: starts. Arguments: perMs, marginMs, then member and age of
 * each.
 */
export const REPORT: Script<number> = script(
  `${NOW}${KEEP}
for index = 3, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], 'NX', now - tonumber(ARGV[index + 1]), ARGV[index])
end
keep(tonumber(ARGV[1]), tonumber(ARGV[2]))
return 0`,
  only(0),
);

/** Nothing starts for so long, for anybody; never shortens a pause. Keys: pause. Arguments: ms. */
export const PAUSE: Script<number> = script(
  `
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], 1, 'PX', ARGV[1]) end
return 0`,
  only(0),
);

/**
 * Does all that the scripts above do, on keys of its own: a Redis that answers may still refuse to write (a replica, a full
 * memory), or this user a command. Keys: a sorted set and a text, both soon gone.
 */
export const PROBE: Script<number> = script(
  `${NOW}
redis.call('ZADD', KEYS[1], now, 'probe')
redis.call('PEXPIRE', KEYS[1], 1000)
redis.call('ZSCORE', KEYS[1], 'probe')
redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now)
redis.call('ZREM', KEYS[1], 'nobody')
redis.call('PTTL', KEYS[2])
redis.call('SET', KEYS[2], 1, 'PX', 1000)
return 1`,
  only(1),
);

/**
 * Gives places of a Bottleneck client back that has no connection any more, but for as many as are still held: all are
 * alike. Bottleneck itself counts a place as free whose time is over.
 *
 * No keys: they are Bottleneck's, which a prefix of the host's client is not part of. Arguments: hash of the clients of
 * places, sorted set of their ends, client, places still held.
 */
export const RELEASE: Script<number> = script(
  `
local held = tonumber(ARGV[4])
local entries = redis.call('HGETALL', ARGV[1])
for index = 1, #entries, 2 do
  if entries[index + 1] == ARGV[3] then
    if held > 0 then held = held - 1 else redis.call('ZADD', ARGV[2], 0, entries[index]) end
  end
end
return 0`,
  only(0),
);

function script<Answer>(code: string, read: Script<Answer>['read']): Script<Answer> {
  return { code, sha: createHash('sha1').update(code).digest('hex'), read };
}

/** A client may be told to hand out numbers as texts. `null` is no number, whatever `Number` makes of it. */
function numberOf(answer: unknown): number | undefined {
  const isOne = typeof answer === 'number' || (typeof answer === 'string' && answer.trim() !== '');
  return isOne && Number.isFinite(Number(answer)) ? Number(answer) : undefined;
}

function only(expected: number): (answer: unknown) => number | undefined {
  return (answer) => (numberOf(answer) === expected ? expected : undefined);
}

function grantOf(answer: unknown): Grant | undefined {
  if (!Array.isArray(answer) || answer.length !== 2) return undefined;
  const [granted, waitMs] = answer.map(numberOf);
  if (waitMs === undefined || waitMs < 0) return undefined;
  // A no without a wait would be asked again at once, and again.
  if (granted === 0) return waitMs > 0 ? { granted, waitMs } : undefined;
  return granted === 1 || granted === 2 ? { granted, waitMs } : undefined;
}
