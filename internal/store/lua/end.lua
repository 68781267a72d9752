-- Keeps the answer of a request, or forgets the request.
-- KEYS: its names. ARGV: owner, window in ms, an answer for each name or ''.
for i = 1, #KEYS do
  if redis.call('HGET', KEYS[i], 'o') == ARGV[1] then
    if ARGV[2 + i] == '' then
      redis.call('DEL', KEYS[i])
    else
      redis.call('HSET', KEYS[i], 's', 'd', 'a', ARGV[2 + i])
      redis.call('PEXPIRE', KEYS[i], ARGV[2])
    end
  end
end
return 'ended'
