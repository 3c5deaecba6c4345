-- The part of the library of words that is written in Lua. Words never change a list or map that someone else may hold:
-- they give a new one.

local function copied(t)
  local copy = {}
  if tostring(t) == "list" then
    copy = list()
  end
  for key, value in dpairs(t) do
    copy[key] = value
  end
  return copy
end

function words_set(t, key, value)
  local copy = copied(t)
  copy[key] = value
  return copy
end

function words_has(t, key)
  return t[key] ~= nil
end

function words_append(t, value)
  local copy = copied(t)
  table.insert(copy, value)
  return copy
end

function words_concat(a, b)
  local copy = copied(a)
  for _, value in dpairs(b) do
    table.insert(copy, value)
  end
  return copy
end

function words_reverse(t)
  if type(t) == "string" then
    return string.reverse(t)
  end
  local reversed = list()
  for position = #t, 1, -1 do
    table.insert(reversed, t[position])
  end
  return reversed
end

function words_range(from, to)
  local numbers = list()
  for number = from, to do
    table.insert(numbers, number)
  end
  return numbers
end

function words_sum(t)
  local sum = 0
  for _, value in dpairs(t) do
    sum = sum + value
  end
  return sum
end

function words_trim(text)
  local trimmed = string.match(text, "^%s*(.-)%s*$")
  return trimmed
end

function words_split(text, separator)
  if separator == "" then
    error("`split` needs a separator that is not empty")
  end
  local parts = list()
  local start = 1
  while true do
    local from, to = string.find(text, separator, start, true)
    if from == nil then
      table.insert(parts, string.sub(text, start, -1))
      return parts
    end
    table.insert(parts, string.sub(text, start, from - 1))
    start = to + 1
  end
end

function words_replace(text, what, by)
  return table.concat(words_split(text, what), by)
end
