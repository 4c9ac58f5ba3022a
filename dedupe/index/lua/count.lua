-- What there is in the slices. ARGV: none more
local pairs_, links = 0, 0
for k = 1, #slices do
  local counts = call('HMGET', slices[k].n, 'pairs', 'links')
  pairs_, links = pairs_ + tonumber(counts[1]), links + tonumber(counts[2])
end
return { news(), pairs_, links, call('HLEN', P .. 'source') }
