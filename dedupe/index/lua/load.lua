-- ARGV[4]  numbers
-- ARGV[5]  bytes wanted of each article, from its beginning; 0: all
local found, most = {}, tonumber(ARGV[5])
for at = 1, #ARGV[4], 4 do
  local key = P .. 'a' .. sub(ARGV[4], at, at + 3)
  if most == 0 then
    found[#found + 1] = call('GET', key) or ''
  else
    found[#found + 1] = call('GETRANGE', key, 0, most - 1)
  end
end
return { news(), found }
