-- Keep what was found out about articles, and give the pairs of some.
--
-- ARGV[4]  pairs: <I4 later, I4 earlier, then what the client makes of it, the last byte 1 if it links
-- ARGV[5]  families: <I4 number, B has one, I8 family
-- ARGV[6]  numbers of articles that are finished
-- ARGV[7]  verdicts, 17 bytes each
-- ARGV[8]  pairs that may be there already, and are then replaced
-- ARGV[9]  <I4 number, I4 how many: articles whose pairs are wanted, and how many of each at most
-- ARGV[10] families whose numbers of articles are wanted, I8 each
keep_pairs(ARGV[4])
replace_pairs(ARGV[8])

for at = 1, #ARGV[5], 13 do
  local number, has = sub(ARGV[5], at, at + 3), sub(ARGV[5], at + 4, at + 12)
  local article = P .. 'a' .. number
  local slice = slice_of((unpack('<I4', number)))
  local before = slice and call('GETRANGE', article, 1, 9) or ''
  if before ~= '' and before ~= has then
    call('SETRANGE', article, 1, has)
    count_member(slice, before, -1)
    count_member(slice, has, 1)
    -- Families are named by the fingerprint of a member, by which they are found.
    local family = sub(has, 2)
    if string.byte(has, 1) == 1 and call('GETRANGE', article, HEAD, HEAD + 7) == family then
      local bucket = slice.f .. family_bucket(family)
      local named = call('HGET', bucket, family) or ''
      local there = #named >= 60
      for k = 1, #named, 4 do
        there = there or sub(named, k, k + 3) == number
      end
      if not there then
        call('HSET', bucket, family, named .. number)
        expire(bucket, slice.slice)
      end
    end
  end
end

finish(ARGV[6])
learn(ARGV[7])

local found = {}
for at = 1, #ARGV[9], 8 do
  local most = unpack('<I4', ARGV[9], at + 4)
  found[#found + 1] = call('GETRANGE', P .. 'e' .. sub(ARGV[9], at, at + 3), 0, most * PAIR - 1)
end
local sizes = {}
for at = 1, #ARGV[10], 8 do
  sizes[#sizes + 1] = members_of(sub(ARGV[10], at, at + 7))
end
return { news(), found, sizes }
