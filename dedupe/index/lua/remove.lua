-- ARGV[4]  numbers
-- ARGV[5]  digests of their ids, 16 bytes each
for k = 1, #ARGV[4] / 4 do
  local number = sub(ARGV[4], 4 * k - 3, 4 * k)
  local id = P .. 'i' .. sub(ARGV[5], 16 * k - 15, 16 * k)
  remove((unpack('<I4', number)))
  if sub(call('GET', id) or '', 1, 4) == number then
    call('DEL', id)
  end
end
return { news() }
