function run(n)
  local items, x = {}, 42
  for _ = 1, n do
    x = (x * 1103515245 + 12345) % 2147483648
    table.insert(items, x)
  end
  table.sort(items)
  local check = 0
  for i = 1, n, 1000 do check = (check * 31 + items[i]) % 1000000007 end
  return check
end
