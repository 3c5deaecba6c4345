local out = {}
local emitted = 0
local function fresh(text)
  emitted = emitted + 1
  return text .. emitted
end
local function num(x)
  if x ~= x then return "nan" end
  return tostring(x)
end
local function near(x)
  if x ~= x or x == math.huge or x == -math.huge then return 0.0 end
  return tonumber(string.format("%.9g", x)) + 0.0
end
local function finite(x)
  if x ~= x or x > 1e15 or x < -1e15 then return 0.25 end
  return x
end
local function show(value)
  local kind = type(value)
  if kind == "number" then return num(value) end
  if kind == "string" then return string.format("%q", value) end
  if kind == "nil" or kind == "boolean" then return tostring(value) end
  if kind ~= "table" then return kind end
  local parts = {}
  for _, key in ipairs(dkeys(value)) do
    parts[#parts + 1] = show(key) .. "=" .. show(value[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end
local function put(...)
  for place = 1, select("#", ...) do
    out[#out + 1] = show((select(place, ...)))
  end
end
