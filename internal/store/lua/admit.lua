-- Keeps that a call may have been sent, and takes its claim.
-- KEYS: names of the record, names of the claim, the intents.
-- ARGV: number of record names, number of claim names, owner, claim's id,
-- limit, claim's life in ms (0: no end), intent's id, intent.
local records, claims = tonumber(ARGV[1]), tonumber(ARGV[2])
for i = 1, records do
  local r = redis.call('HMGET', KEYS[i], 's', 'o')
  if r[2] ~= ARGV[3] or r[1] == 'd' then return 'lost' end
end
for i = records + 1, records + claims do
  if redis.call('SISMEMBER', KEYS[i], ARGV[4]) == 0 and redis.call('SCARD', KEYS[i]) >= tonumber(ARGV[5]) then
    return 'over'
  end
end
for i = records + 1, records + claims do
  redis.call('SADD', KEYS[i], ARGV[4])
  if ARGV[6] ~= '0' and redis.call('PTTL', KEYS[i]) < 0 then redis.call('PEXPIRE', KEYS[i], ARGV[6]) end
end
for i = 1, records do redis.call('HSET', KEYS[i], 's', 's') end
redis.call('HSET', KEYS[#KEYS], ARGV[7], ARGV[8])
return 'admitted'
