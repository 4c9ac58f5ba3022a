-- ARGV[4]  keys
local hits, lists = gather(ARGV[4])
return { news(), hits, lists }
