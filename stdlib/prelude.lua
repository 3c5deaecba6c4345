-- The part of EchoLua's library that is written in Lua itself. A source gets only what it uses, as functions of its own.
-- Here alone `builtin["name"]` is the machine's built-in of that name, and `__rest` the list that `...` stands for.

function error(value)
  error(value)
end

function pcall(f, ...)
  return pcall(f, ...)
end

function assert(value, ...)
  if value then
    return value, ...
  end
  if builtin["count"](__rest) > 0 then
    error((...))
  end
  error("assertion failed!")
end

function select(n, ...)
  local count = builtin["count"](__rest)
  if n == "#" then
    return count
  end
  if n < 0 then
    n = count + n + 1
  end
  if n < 1 then
    error("`select` counts from 1, or from the end by negative numbers")
  end
  return builtin["table.unpack"](__rest, n, count)
end

function ipairs(t)
  if t == nil then
    error("`ipairs` visits a list, and was given nil")
  end
  return function(list, position)
    position = position + 1
    local value = list[position]
    if value ~= nil then
      return position, value
    end
  end, t, 0
end

function dpairs(t)
  local keys = dkeys(t)
  local position = 0
  return function()
    while position < #keys do
      position = position + 1
      local key = keys[position]
      local value = t[key]
      if value ~= nil then
        return key, value
      end
    end
  end
end

function dkeys(t)
  return dkeys(t)
end

function math.modf_float(x)
  local whole, rest = builtin["math.modf"](x)
  return whole, builtin["float"](rest)
end

function string.gmatch(s, pattern, init)
  local position, last = init or 1, nil
  return function()
    local found = { builtin["gmatch-next"](s, pattern, position, last) }
    if found[1] ~= nil then
      position, last = found[1], found[1]
      return builtin["table.unpack"](found, 2)
    end
  end
end

function string.gsub(s, pattern, replacement, most)
  if type(replacement) ~= "function" then
    return builtin["string.gsub"](s, pattern, replacement, most)
  end
  local parts, count, from, last = {}, 0, 1, nil
  while most == nil or count < most do
    local found = { builtin["gsub-next"](s, pattern, from, last) }
    if found[1] == nil then
      break
    end
    count = count + 1
    local start, stop = found[1], found[2]
    local value = replacement(builtin["table.unpack"](found, 3))
    if not value then
      value = builtin["string.sub"](s, start, stop - 1)
    elseif type(value) ~= "string" and type(value) ~= "number" then
      error("`string.gsub` puts in strings and numbers, and was given a " .. type(value))
    end
    parts[#parts + 1] = builtin["string.sub"](s, from, start - 1)
    parts[#parts + 1] = value
    from, last = stop, stop
  end
  parts[#parts + 1] = builtin["string.sub"](s, from)
  return builtin["table.concat"](parts), count
end

function utf8.codes(s, lax)
  local position = 0
  return function()
    local at, code = builtin["utf8.codes-next"](s, position, lax)
    if at ~= nil then
      position = at
      return at, code
    end
  end
end
