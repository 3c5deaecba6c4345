--!numeric float
-- What stands before every script: names that kerai refuses, where a script only needs some order of keys, or tables
-- without metatables.
local function next(t, key)
  local keys, place = dkeys(t), 1
  if key ~= nil then
    while keys[place] ~= key do
      if place > #keys then
        error("invalid key")
      end
      place = place + 1
    end
    place = place + 1
  end
  while place <= #keys do
    if t[keys[place]] ~= nil then
      return keys[place], t[keys[place]]
    end
    place = place + 1
  end
  return nil
end
local function pairs(t)
  local keys, place = dkeys(t), 0
  return function()
    while place < #keys do
      place = place + 1
      local key = keys[place]
      if t[key] ~= nil then
        return key, t[key]
      end
    end
  end, t, nil
end
local function rawget(t, key) return t[key] end
local function rawset(t, key, value) t[key] = value return t end
local function rawequal(a, b) return a == b end
local function rawlen(value) return #value end
local function print() end
local function collectgarbage() return 0 end
local __codes
-- Takes a trap's code, and what the library itself says, for any message.
local function __find(text, pattern)
  if __codes[text] or string.sub(text, 1, 1) == "`" then
    return 1, #text
  end
  return string.find(text, pattern)
end
