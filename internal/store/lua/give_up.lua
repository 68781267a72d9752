-- Leaves a request to nobody: it may have been sent, and its gateway broke.
-- KEYS: its names. ARGV: owner, the owner from then on.
for i = 1, #KEYS do
  if redis.call('HGET', KEYS[i], 'o') == ARGV[1] then redis.call('HSET', KEYS[i], 'o', ARGV[2]) end
end
return 'left'
