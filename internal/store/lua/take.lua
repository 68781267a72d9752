-- Takes one of a rate, by the time its bucket will be empty (GCRA). KEYS: the bucket.
-- ARGV: what one takes and what the bucket holds, in microseconds. Gives how long to wait, 0 when it was taken.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local each, all = tonumber(ARGV[1]), tonumber(ARGV[2])
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + each
if free - now > all then return free - now - all end
redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', math.ceil((free - now) / 1000))
return 0
