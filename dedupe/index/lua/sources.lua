-- Numbers of sources. ARGV[4]: '1' to give new names one; ARGV[5…]: names
local found = {}
for k = 5, #ARGV do
  local number = call('HGET', P .. 'source', ARGV[k])
  if not number and ARGV[4] == '1' then
    number = call('HLEN', P .. 'source') + 1
    call('HSET', P .. 'source', ARGV[k], number)
  end
  found[#found + 1] = tonumber(number) or -2
end
return { news(), found }
