-- Articles that gave a family its name, and how many articles are in it. ARGV[4]: the family, I8
local found, members = {}, 0
local bucket = family_bucket(ARGV[4])
for k = 1, #slices do
  found[k] = call('HGET', slices[k].f .. bucket, ARGV[4]) or ''
  members = members + (tonumber(call('HGET', slices[k].c .. bucket, ARGV[4])) or 0)
end
return { news(), table.concat(found), members }
