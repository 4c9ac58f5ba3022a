-- Make the index, unless it is there. ARGV: prefix, epoch, quarter, then names and values
local P = ARGV[1]
if redis.call('EXISTS', P .. 'meta') == 0 then
  local time = redis.call('TIME')
  local born = time[1] * 1000 + math.floor(time[2] / 1000)
  for k = 4, #ARGV, 2 do
    redis.call('HSET', P .. 'meta', ARGV[k], ARGV[k + 1])
  end
  redis.call('HSET', P .. 'state', 'epoch', ARGV[2], 'born', born, 'quarter', ARGV[3], 'slice', 0,
    'next', 1, 'shingles', 0)
  return 1
end
return 0
