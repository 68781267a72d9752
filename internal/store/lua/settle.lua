-- Keeps how a call ended: gives its claim back, replaces or drops its intent.
-- KEYS: names of the claim, the intents. ARGV: claim's id, intent's id or '' to leave all as they are, intent or ''.
for i = 1, #KEYS - 1 do redis.call('SREM', KEYS[i], ARGV[1]) end
if ARGV[2] ~= '' then
  if ARGV[3] == '' then
    redis.call('HDEL', KEYS[#KEYS], ARGV[2])
  else
    redis.call('HSET', KEYS[#KEYS], ARGV[2], ARGV[3])
  end
end
return 'settled'
