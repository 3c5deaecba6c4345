--!order commit
-- Whether the history of one register can be explained by calls that each take effect at one moment between invocation
-- and return. Kept are all worlds that are possible so far: the register's value, what calls under way have come to in
-- it, and calls without an answer that may still take effect, or never.

function init()
  return { open = {}, worlds = list({ value = "nil", done = {}, left = {} }), kinds = {} }
end

-- What a call comes to, and the value after it.
local function effect(call, value)
  if call.f == "read" then
    return value, value
  elseif call.f == "write" then
    return true, call.to
  elseif value == call.from then
    return true, call.to
  end
  return false, value
end

local function copy(world)
  local done, left = {}, {}
  for process, result in dpairs(world.done) do
    done[process] = result
  end
  for kind, count in dpairs(world.left) do
    left[kind] = count
  end
  return { value = world.value, done = done, left = left }
end

-- Whether all that may still happen with `few` may happen with `many`.
local function covers(many, few)
  for kind, count in dpairs(few) do
    if (many[kind] or 0) < count then
      return false
    end
  end
  return true
end

-- Adds a world, unless one that is like it leaves as much open or more: whatever explains the rest with it does without.
local function add(worlds, seen, world)
  local name = json.encode_canonical({ world.value, world.done })
  local like = seen[name] or list()
  for _, left in ipairs(like) do
    if covers(left, world.left) then
      return
    end
  end
  like[#like + 1] = world.left
  seen[name] = like
  worlds[#worlds + 1] = world
end

-- The worlds in which a process's call has come to what was answered.
local function answered(state, process, wanted)
  local queue, seen, kept, known = list(), {}, list(), {}
  for _, world in ipairs(state.worlds) do
    add(queue, seen, world)
  end
  local at = 1
  while at <= #queue do
    local world = queue[at]
    at = at + 1
    if world.done[process] ~= nil then
      if world.done[process] == wanted then
        world.done[process] = nil
        add(kept, known, world)
      end
    else
      for other, call in dpairs(state.open) do
        if world.done[other] == nil then
          local result, value = effect(call, world.value)
          local after = copy(world)
          after.done[other] = result
          after.value = value
          add(queue, seen, after)
        end
      end
      for kind, count in dpairs(world.left) do
        local _, value = effect(state.kinds[kind], world.value)
        if value ~= world.value then
          local after = copy(world)
          after.left[kind] = count > 1 and count - 1 or nil
          after.value = value
          add(queue, seen, after)
        end
      end
    end
  end
  return kept
end

-- Without an answer a call may take effect at any later moment.
local function unanswered(state, process, call)
  local kind = json.encode_canonical(call)
  state.kinds[kind] = call
  local worlds, seen = list(), {}
  for _, world in ipairs(state.worlds) do
    if world.done[process] ~= nil then
      world.done[process] = nil
    elseif call.f ~= "read" then
      world.left[kind] = (world.left[kind] or 0) + 1
    end
    add(worlds, seen, world)
  end
  return worlds
end

function step(state, op)
  local p = op.payload
  local call = state.open[p.process]
  if p.type == "invoke" then
    state.open[p.process] = { f = p.f, from = p.from, to = p.to }
  elseif call ~= nil then
    if p.type == "info" or (p.type == "fail" and p.f == "read") then
      state.open[p.process] = nil
      state.worlds = unanswered(state, p.process, call)
    else
      local wanted = p.type == "ok"
      if p.f == "read" then
        wanted = p.to
      end
      state.worlds = answered(state, p.process, wanted)
      state.open[p.process] = nil
    end
  end
end

function finish(state)
  emit("history", "linearizable", #state.worlds > 0)
end
