-- Takes a lock, unless somebody alive has it. KEYS: the lock. ARGV: holder, life in ms, prefix of the living.
local h = redis.call('GET', KEYS[1])
if h and h ~= ARGV[1] and redis.call('EXISTS', ARGV[3] .. string.match(h, '^[^/]*')) == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
