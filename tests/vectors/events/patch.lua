--!order commit
-- A document under JSON Patch: an operation is a whole patch, and one that does not apply leaves no trace.

function init()
  return {}
end

local function split(pointer)
  local parts = list()
  if pointer ~= "" then
    if string.sub(pointer, 1, 1) ~= "/" then
      error("no pointer")
    end
    for part in string.gmatch(pointer, "/([^/]*)") do
      part = string.gsub(part, "~1", "/")
      part = string.gsub(part, "~0", "~")
      parts[#parts + 1] = part
    end
  end
  return parts
end

-- Lists and maps hold what nil can't say in boxes: { list = {…} }, { map = {…} }, { value = … }.
local function place(name, count, may_append)
  if name == "-" and may_append then
    return count + 1
  end
  if name ~= "0" and not string.match(name, "^[1-9][0-9]*$") then
    error("no index")
  end
  if #name > 9 then
    error("no such index")
  end
  return tonumber(name) + 1
end

local function child(box, name)
  if box.list ~= nil then
    return box.list[place(name, #box.list, false)]
  elseif box.map ~= nil then
    return box.map[name]
  end
end

local function find(box, parts, count)
  for at = 1, count do
    box = child(box, parts[at])
    if box == nil then
      error("no such place")
    end
  end
  return box
end

local function copy(box)
  if box.list ~= nil then
    local all = list()
    for at = 1, #box.list do
      all[at] = copy(box.list[at])
    end
    return { list = all }
  elseif box.map ~= nil then
    local all = {}
    for name, value in dpairs(box.map) do
      all[name] = copy(value)
    end
    return { map = all }
  end
  return { value = box.value, kind = box.kind }
end

local function same(a, b)
  return json.encode_canonical(a) == json.encode_canonical(b)
end

local function add(document, parts, value)
  if #parts == 0 then
    return value
  end
  local parent, name = find(document, parts, #parts - 1), parts[#parts]
  if parent.list ~= nil then
    local at = place(name, #parent.list, true)
    if at > #parent.list + 1 then
      error("no such index")
    end
    table.insert(parent.list, at, value)
  elseif parent.map ~= nil then
    parent.map[name] = value
  else
    error("no container")
  end
  return document
end

local function remove(document, parts)
  if #parts == 0 then
    return { value = nil, kind = "null" }
  end
  local parent, name = find(document, parts, #parts - 1), parts[#parts]
  find(document, parts, #parts)
  if parent.list ~= nil then
    table.remove(parent.list, place(name, #parent.list, false))
  else
    parent.map[name] = nil
  end
  return document
end

local function replace(document, parts, value)
  find(document, parts, #parts)
  if #parts == 0 then
    return value
  end
  local parent, name = find(document, parts, #parts - 1), parts[#parts]
  if parent.list ~= nil then
    parent.list[place(name, #parent.list, false)] = value
  else
    parent.map[name] = value
  end
  return document
end

local function is_before(short, long)
  if #short >= #long then
    return false
  end
  for at = 1, #short do
    if short[at] ~= long[at] then
      return false
    end
  end
  return true
end

function step(state, op)
  local p = op.payload
  if p.document ~= nil then
    state.document = p.document
    return
  end
  -- Worked on is a copy, as the step would be undone if it failed: what a caller holds stays as it was.
  local document = copy(state.document)
  for _, change in ipairs(p.patch) do
    local path = split(change.path)
    if change.op == "add" then
      document = add(document, path, copy(change.value))
    elseif change.op == "remove" then
      document = remove(document, path)
    elseif change.op == "replace" then
      document = replace(document, path, copy(change.value))
    elseif change.op == "move" then
      local from = split(change.from)
      if is_before(from, path) then
        error("into itself")
      end
      local value = copy(find(document, from, #from))
      if not same(from, path) then
        document = add(remove(document, from), path, value)
      end
    elseif change.op == "copy" then
      local from = split(change.from)
      document = add(document, path, copy(find(document, from, #from)))
    elseif change.op == "test" then
      if not same(find(document, path, #path), change.value) then
        error("another value")
      end
    else
      error("no operation")
    end
  end
  state.document = document
end

function finish(state)
  emit("document", "", state.document)
end
