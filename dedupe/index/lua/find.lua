-- ARGV[4]  digests of ids, 16 bytes each
local found = {}
for at = 1, #ARGV[4], 16 do
  local known = call('GET', P .. 'i' .. sub(ARGV[4], at, at + 15))
  local there = known and call('EXISTS', P .. 'a' .. sub(known, 1, 4)) == 1
  found[#found + 1] = there and known or ''
end
return { news(), found }
