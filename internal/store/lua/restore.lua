-- Puts back what Redis has lost and this replica knows.
-- KEYS: names of a record or of claims. ARGV: 'record', life in ms, state, owner, then hash and answer
-- for each name; or 'claims', life in ms (0: no end), ids.
local kind = ARGV[1]
for i = 1, #KEYS do
  if kind == 'record' then
    if redis.call('EXISTS', KEYS[i]) == 0 then
      redis.call('HSET', KEYS[i], 's', ARGV[3], 'o', ARGV[4], 'h', ARGV[3 + 2 * i], 'a', ARGV[4 + 2 * i])
      redis.call('PEXPIRE', KEYS[i], ARGV[2])
    end
  else
    for j = 3, #ARGV do redis.call('SADD', KEYS[i], ARGV[j]) end
    if ARGV[2] ~= '0' and redis.call('PTTL', KEYS[i]) < 0 then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
  end
end
return 'restored'
