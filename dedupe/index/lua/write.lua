-- Keep what was found out about articles, and give the pairs of some.
--
-- ARGV[4]  pairs: <I4 later, I4 earlier, then what the client makes of it, the last byte 1 if it links
-- ARGV[5]  families: <I4 number, B has one, I8 family, I1 bucket's three bytes and six of its field
-- ARGV[6]  numbers of articles that are finished
-- ARGV[7]  verdicts, 17 bytes each
-- ARGV[8]  numbers of the articles whose pairs are wanted
keep_pairs(ARGV[4])

for at = 1, #ARGV[5], 22 do
  local number = sub(ARGV[5], at, at + 3)
  local family = sub(ARGV[5], at + 4, at + 12)
  local article = P .. 'a' .. number
  local slice = slice_of((unpack('<I4', number)))
  if slice and call('EXISTS', article) == 1 then
    call('SETRANGE', article, 1, family)
    -- Families are named by the fingerprint of a member, by which they are found.
    if call('GETRANGE', article, HEAD, HEAD + 7) == sub(family, 2) and sub(family, 1, 1) == '\1' then
      local bucket, field = slice.f .. sub(ARGV[5], at + 13, at + 15), sub(ARGV[5], at + 16, at + 21)
      local named = call('HGET', bucket, field) or ''
      local there = #named >= 60
      for k = 1, #named, 4 do
        there = there or sub(named, k, k + 3) == number
      end
      if not there then
        call('HSET', bucket, field, named .. number)
        expire(bucket, slice.slice)
      end
    end
  end
end

finish(ARGV[6])
learn(ARGV[7])

local found = {}
for at = 1, #ARGV[8], 4 do
  found[#found + 1] = call('GET', P .. 'e' .. sub(ARGV[8], at, at + 3)) or ''
end
return { news(), found }
