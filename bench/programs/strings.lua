function run(n)
  local rows = {}
  for i = 1, n do
    local row = "row " .. i .. ":"
    for k = 1, 8 do row = row .. " " .. (i + k) .. "," end
    rows[i] = row
  end
  return #table.concat(rows, "\n")
end
