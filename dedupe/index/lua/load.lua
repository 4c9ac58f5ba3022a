-- ARGV[4]  <I4 number, I4 how many bytes of the article are wanted, from its beginning; 0: all
local found = {}
for at = 1, #ARGV[4], 8 do
  local key, most = P .. 'a' .. sub(ARGV[4], at, at + 3), unpack('<I4', ARGV[4], at + 4)
  if most == 0 then
    found[#found + 1] = call('GET', key) or ''
  else
    found[#found + 1] = call('GETRANGE', key, 0, most - 1)
  end
end
return { news(), found }
