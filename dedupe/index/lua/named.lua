-- Articles that gave a family its name, and how many articles are in it. ARGV[4]: the family, I8
local found = {}
for k = 1, #slices do
  found[k] = call('HGET', slices[k].f .. family_bucket(ARGV[4]), ARGV[4]) or ''
end
return { news(), table.concat(found), members_of(ARGV[4]) }
