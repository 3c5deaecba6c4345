-- Lattices: what folds merge by. A join takes two states and gives what both say, in the first one's tables; it never
-- traps on states that lifts made. Beside each join stands what makes its states of an operation, and what reads them.

-- A value that the latest operation has written, in the order `ulid`.
function lattice.write(op, value)
  return { at = op.ulid, by = lattice.hash(op.type, op.resource, op.payload), value = value }
end

function lattice.written(op, value)
  if value ~= nil then
    return lattice.write(op, value)
  end
end

-- Canonical order settles what ULIDs don't: first the hash, which stands first, then the value, whoever made it.
function lattice.lww(a, b)
  if a.at == b.at then
    if builtin["compare"](a, b) < 0 then
      return b
    end
  elseif builtin["compare"](a.at, b.at) < 0 then
    return b
  end
  return a
end

function lattice.by_lww(a, b)
  if a.at == b.at then
    return builtin["compare"](a, b)
  end
  return builtin["compare"](a.at, b.at)
end

function lattice.value(state)
  return state.value
end

-- The least and the greatest value, in canonical order.
function lattice.min(a, b)
  if builtin["compare"](b, a) < 0 then
    return b
  end
  return a
end

function lattice.by_min(a, b)
  return builtin["compare"](b, a)
end

function lattice.max(a, b)
  if builtin["compare"](b, a) > 0 then
    return b
  end
  return a
end

function lattice.by_max(a, b)
  return builtin["compare"](a, b)
end

function lattice.same(state)
  return state
end

-- Maps: what only one side has is kept, what both have is joined.
function lattice.map(a, b, join)
  for key, value in dpairs(b) do
    local old = a[key]
    if old == nil then
      a[key] = value
    else
      a[key] = join(old, value)
    end
  end
  return a
end

function lattice.each(state, read)
  local values = {}
  for key, value in dpairs(state) do
    values[key] = read(value)
  end
  return values
end

-- Sets that grow, as the keys of a table.
function lattice.union(a, b)
  for key in dpairs(b) do
    a[key] = true
  end
  return a
end

function lattice.members(state)
  return dkeys(state)
end

-- Two sets: what was ever removed is no member again.
function lattice.pair(a, b)
  lattice.union(a.added, b.added)
  lattice.union(a.removed, b.removed)
  return a
end

function lattice.changed(added, removed)
  if added ~= nil or removed ~= nil then
    return { added = added or {}, removed = removed or {} }
  end
end

function lattice.remaining(state)
  local found = list()
  for key in dpairs(state.added) do
    if not state.removed[key] then
      found[#found + 1] = key
    end
  end
  return found
end

-- Members by the operations that added them: a remove takes back the adds that it names, and no other.
function lattice.tagged(a, b)
  return lattice.map(a, b, lattice.pair)
end

function lattice.tags(op, added, removed, tags)
  if (added == nil and removed == nil) or (removed ~= nil and tags == nil) then
    return nil
  end
  local state = {}
  for key in dpairs(added or {}) do
    state[key] = { added = { [op.ulid] = true }, removed = {} }
  end
  for key in dpairs(removed or {}) do
    state[key] = state[key] or { added = {}, removed = {} }
    lattice.union(state[key].removed, tags)
  end
  return state
end

function lattice.flag(op, value, adding, tags)
  if value == adding then
    return { added = { [op.ulid] = true }, removed = {} }
  elseif value == not adding then
    return { added = {}, removed = tags or {} }
  end
end

function lattice.is_live(state)
  for tag in dpairs(state.added) do
    if not state.removed[tag] then
      return true
    end
  end
  return false
end

function lattice.is_not_live(state)
  return not lattice.is_live(state)
end

function lattice.live(state)
  local found = list()
  for key, tags in dpairs(state) do
    if lattice.is_live(tags) then
      found[#found + 1] = key
    end
  end
  return found
end

-- Writes by the operations that made them: a write takes the place of those that it names.
function lattice.register(a, b)
  lattice.map(a.written, b.written, lattice.max)
  lattice.union(a.removed, b.removed)
  return a
end

function lattice.version(op, value, tags)
  if value ~= nil then
    return { written = { [lattice.tag(op)] = { at = op.ulid, value = value } }, removed = tags or {} }
  end
end

function lattice.versions(state)
  local found = list()
  for tag, write in dpairs(state.written) do
    if not state.removed[write.at] then
      found[#found + 1] = write.value
    end
  end
  return dsort(found)
end

-- What each operation adds, by its author's count of operations, or where it has none by its order.
function lattice.count(op, amount)
  if op.author ~= nil and op.seq ~= nil then
    return { [op.author] = { [op.seq] = amount } }
  end
  return { [""] = { [lattice.tag(op)] = amount } }
end

function lattice.counted(op, amount, least)
  local kind = math.type(amount)
  if (kind == "integer" or kind == "decimal") and (least == nil or amount >= least) then
    return lattice.count(op, amount)
  end
end

function lattice.sums(a, b)
  return lattice.map(a, b, function(x, y)
    return lattice.map(x, y, lattice.max)
  end)
end

function lattice.sum(state)
  local total = 0
  for _, amounts in dpairs(state) do
    for _, amount in dpairs(amounts) do
      total = total + amount
    end
  end
  return total
end

-- One operation among all: two with one tag say the same.
function lattice.tag(op)
  return op.ulid .. " " .. lattice.hash(op.type, op.resource, op.payload)
end

-- The tags that an operation names, as the keys of a table; nil where it names none.
function lattice.named(tags)
  if type(tags) == "table" then
    local found = nil
    for _, tag in dpairs(tags) do
      if type(tag) == "string" then
        found = found or {}
        found[tag] = true
      end
    end
    return found
  end
end

-- Parts of a payload: nil where they are not there.
function lattice.member(value, name)
  if type(value) == "table" then
    return value[name]
  end
end

function lattice.item(value, place)
  if builtin["kind"](value) == "list" then
    if place < 0 then
      place = #value + place
    end
    return value[place + 1]
  end
end

-- The values below a value, as the keys of a table; nil where one can't be a key, or where there are none.
function lattice.items(value)
  if type(value) == "table" then
    local found = nil
    for _, item in dpairs(value) do
      if lattice.key(item) == nil then
        return nil
      end
      found = found or {}
      found[item] = true
    end
    return found
  end
end

function lattice.single(value)
  if lattice.key(value) ~= nil then
    return { [value] = true }
  end
end

-- The text under which a map keeps a key.
function lattice.name(value)
  if lattice.key(value) ~= nil then
    return tostring(value)
  end
end

-- A name as a step of a normalized path, or a place in a list, which a path counts from 0.
function lattice.step(name)
  if type(name) == "string" then
    name = string.gsub(name, "[\0-\31\\']", lattice.escape)
    return "['" .. name .. "']"
  end
  if math.type(name) == "integer" then
    name = name - 1
  end
  return "[" .. tostring(name) .. "]"
end

function lattice.escape(character)
  if character == "\\" or character == "'" then
    return "\\" .. character
  end
  local code = string.byte(character)
  local short = string.find("\b\t\n\f\r", character, 1, true)
  if short ~= nil then
    return "\\" .. string.sub("btnfr", short, short)
  end
  return "\\u" .. string.format("%04x", code)
end

function lattice.key(value)
  local kind = type(value)
  if kind == "string" or kind == "boolean" or (kind == "number" and value == value) then
    return value
  end
end

-- What no lattice covers, by operation.
function lattice.note(paths, path)
  paths = paths or list()
  paths[#paths + 1] = path
  return paths
end

-- The paths at which something stands that is not what was asked for.
function lattice.refuse(paths, value, path)
  if value ~= nil then
    return lattice.note(paths, path)
  end
  return paths
end

-- A value, but for a table without entries, which says nothing.
function lattice.some(value)
  if type(value) ~= "table" or #dkeys(value) > 0 then
    return value
  end
end

-- Paths, and the rules that could not take what stands there, each once.
function lattice.refusal(found, paths, rule)
  if paths == nil then
    return found
  end
  found = found or { paths = list(), rules = list(), seen = {} }
  for _, path in ipairs(paths) do
    if not found.seen[path] then
      lattice.note(found.paths, path)
      found.seen[path] = true
    end
  end
  -- No path is a rule's name after this mark.
  if not found.seen["rule " .. rule] then
    lattice.note(found.rules, rule)
    found.seen["rule " .. rule] = true
  end
  return found
end

function lattice.conflict(op, paths, rules)
  local found = { type = "governance.conflict", ulid = op.ulid, paths = paths, rules = rules }
  found.op_type = op.type
  found.resource = op.resource
  return { [lattice.tag(op)] = found }
end

function lattice.conflicts(a, b)
  return lattice.map(a, b, lattice.max)
end

function lattice.emit_conflicts(path, state)
  for tag, conflict in dpairs(state) do
    emit(path, tag, conflict)
  end
end

function lattice.copy(items)
  local found = list()
  for _, item in ipairs(items) do
    found[#found + 1] = item
  end
  return found
end

-- Writes of different values, none of which replaces another: a conflict, by rule, path and the keys that lead there.
function lattice.emit_dispute(at, rule, path, keys, state)
  local values, ulids = lattice.versions(state), {}
  if #values < 2 or builtin["compare"](values[1], values[#values]) == 0 then
    return
  end
  for _, write in dpairs(state.written) do
    if not state.removed[write.at] then
      ulids[write.at] = true
    end
  end
  local found = { type = "governance.conflict", paths = { path }, rules = { rule }, values = values }
  found.keys = keys
  found.ulids = dkeys(ulids)
  local name = { rule, path }
  for _, key in ipairs(keys) do
    name[#name + 1] = key
  end
  emit(at, json.encode_canonical(name), found)
end
