-- Begins a request, or finds how far the same one got.
-- KEYS: its names. ARGV: owner, life in ms, prefix of the living, a hash for each name.
for i = 1, #KEYS do
  local r = redis.call('HMGET', KEYS[i], 's', 'o', 'h', 'a')
  if r[1] then
    local alive = redis.call('EXISTS', ARGV[3] .. string.match(r[2], '^[^/]*')) == 1
    if alive or r[1] ~= 'r' then
      if r[3] ~= ARGV[3 + i] then return {'differs'} end
      if r[1] == 'd' then return {'done', r[4], tostring(i - 1), tostring(redis.call('PTTL', KEYS[i]))} end
      if alive then return {'busy'} end
      for j = 1, #KEYS do
        redis.call('HSET', KEYS[j], 's', 's', 'o', ARGV[1], 'h', ARGV[3 + j])
        redis.call('PEXPIRE', KEYS[j], ARGV[2])
      end
      return {'recovered'}
    end
  end
end
for j = 1, #KEYS do
  redis.call('DEL', KEYS[j])
  redis.call('HSET', KEYS[j], 's', 'r', 'o', ARGV[1], 'h', ARGV[3 + j])
  redis.call('PEXPIRE', KEYS[j], ARGV[2])
end
return {'first'}
