-- Articles that gave a family its name. ARGV[4]: three bytes of the bucket, six of the field
local found = {}
for k = 1, #slices do
  found[k] = call('HGET', slices[k].f .. sub(ARGV[4], 1, 3), sub(ARGV[4], 4, 9)) or ''
end
return { news(), table.concat(found) }
