import { createHash } from 'node:crypto';

/** A script, and the name that Redis knows it by once it has run. */
export interface Script {
  readonly code: string;
  readonly sha: string;
}

// Time is Redis' own everywhere: the clocks of machines differ.
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Takes a start if the window has room. Members are starts, scores say until when at the latest their request reaches the
 * service.
 *
 * Keys: starts, pause. Arguments: requests, perMs, marginMs, member, member before it that has to be known or ''.
 * Answers {granted, ms to wait before the next}: 1 yes, 0 no, 2 what was counted is gone.
 */
export const TAKE: Script = script(`${NOW}
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
redis.call('PEXPIRE', KEYS[1], 2 * perMs + marginMs + 1000)
return {1, waitMs()}`);

/** The work of a start is over, so its request has reached the service by now. Keys: starts. Arguments: member. */
export const SETTLE: Script = script(`${NOW}
local latest = redis.call('ZSCORE', KEYS[1], ARGV[1])
if latest and now < tonumber(latest) then redis.call('ZADD', KEYS[1], now, ARGV[1]) end
return 0`);

/** A start that was not made. Keys: starts. Arguments: member. */
export const GIVE_BACK: Script = script(`return redis.call('ZREM', KEYS[1], ARGV[1])`);

/** Starts that Redis was not asked about, or has forgotten. Keys: starts. Arguments: perMs, then member and age of each. */
export const REPORT: Script = script(`${NOW}
for index = 2, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], 'NX', now - tonumber(ARGV[index + 1]), ARGV[index])
end
redis.call('PEXPIRE', KEYS[1], 2 * tonumber(ARGV[1]) + 1000)
return 0`);

/** Nothing starts for so long, for anybody; never shortens a pause. Keys: pause. Arguments: ms. */
export const PAUSE: Script = script(`
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], 1, 'PX', ARGV[1]) end
return 0`);

/**
 * Gives places of a Bottleneck client back that has no connection any more, but for as many as are still held: all are
 * alike. Bottleneck itself counts a place as free whose time is over.
 *
 * No keys: they are Bottleneck's, which a prefix of the host's client is not part of. Arguments: hash of the clients of
 * places, sorted set of their ends, client, places still held.
 */
export const RELEASE: Script = script(`
local held = tonumber(ARGV[4])
local entries = redis.call('HGETALL', ARGV[1])
for index = 1, #entries, 2 do
  if entries[index + 1] == ARGV[3] then
    if held > 0 then held = held - 1 else redis.call('ZADD', ARGV[2], 0, entries[index]) end
  end
end
return 0`);

function script(code: string): Script {
  return { code, sha: createHash('sha1').update(code).digest('hex') };
}
