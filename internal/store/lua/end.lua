-- Keeps the answer of a request, or forgets the request, and drops the intents of its calls.
-- KEYS: its names, the intents. ARGV: owner, window in ms, an answer for each name or '', intents' ids.
local names = #KEYS - 1
for i = 1, names do
  if redis.call('HGET', KEYS[i], 'o') == ARGV[1] then
    if ARGV[2 + i] == '' then
      redis.call('DEL', KEYS[i])
    else
      redis.call('HSET', KEYS[i], 's', 'd', 'a', ARGV[2 + i])
      redis.call('PEXPIRE', KEYS[i], ARGV[2])
    end
  end
end
for i = names + 3, #ARGV do redis.call('HDEL', KEYS[#KEYS], ARGV[i]) end
return 'ended'
