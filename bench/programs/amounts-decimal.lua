function run(n)
  local amounts = {}
  for i = 1, 1000 do amounts[i] = (i * 7919) % 100000 * 0.01 end
  local sum = 0
  for _ = 1, n do
    for i = 1, 1000 do sum = sum + amounts[i] end
  end
  return sum
end
