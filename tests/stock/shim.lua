-- What kerai has beside stock Lua's library, for stock Lua: as plain as it can be written.
local rank = { ["boolean"] = 1, ["number"] = 2, ["string"] = 3, ["table"] = 4 }
local function before(a, b)
  local kind_a, kind_b = type(a), type(b)
  if kind_a ~= kind_b then
    return rank[kind_a] < rank[kind_b]
  elseif kind_a == "boolean" then
    return not a and b
  end
  return a < b
end

function dkeys(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys, before)
  return keys
end

function dvalues(t)
  local values = {}
  for place, key in ipairs(dkeys(t)) do
    values[place] = t[key]
  end
  return values
end

function dpairs(t)
  local keys, place = dkeys(t), 0
  return function()
    while place < #keys do
      place = place + 1
      if t[keys[place]] ~= nil then
        return keys[place], t[keys[place]]
      end
    end
  end
end

function dsort(t)
  local sorted = table.move(t, 1, #t, 1, {})
  table.sort(sorted, before)
  return sorted
end

function list(...) return { ... } end

function set(...)
  local members, has = {}, {}
  for _, member in ipairs({ ... }) do
    if not has[member] then
      has[member] = true
      members[#members + 1] = member
    end
  end
  return members
end

function float(value) return tonumber(value) + 0.0 end
function decimal(value) return tonumber(value) end
function fixed(value) return tonumber(value) + 0.0 end

json = {}
local seen = {}
local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, entry in pairs(value) do
    made[key] = copy(entry)
  end
  return made
end
local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(point)
    return point ~= "\127" and (escapes[point] or string.format("\\u%04x", point:byte())) or nil
  end) .. '"'
end
local function encoded(value)
  if type(value) == "string" then
    return quoted(value)
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  if #value > 0 then
    for place, entry in ipairs(value) do
      parts[place] = encoded(entry)
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for place, key in ipairs(dkeys(value)) do
    parts[place] = quoted(key) .. ":" .. encoded(value[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end
function json.encode_canonical(value)
  local text = encoded(value)
  seen[text] = copy(value)
  return text
end
function json.decode_strict(text)
  assert(seen[text] ~= nil)
  return copy(seen[text])
end

rows = {}
function emit(path, key, value)
  rows[#rows + 1] = encoded({ path, key }) .. " " .. encoded(value)
end
function emit_json_canonical(path, value)
  if type(value) == "table" and #value == 0 then
    for key, entry in dpairs(value) do
      emit(path, key, entry)
    end
  else
    emit(path, "", value)
  end
end
