-- Graphs that rules rewrite by double pushout: a rule has a left side, which is looked for, and a right side; what only the left
-- has is removed, what only the right has is made, what both have is kept. Nodes have a text as id and one as label; an edge is
-- two nodes and a label, and is there or not.

function graph.new()
  return { nodes = {}, out = {}, into = {} }
end

-- Whether there is an edge, in one of the two maps that are kept of them.
function graph.has(edges, from, label, to)
  local labels = edges[from]
  return labels ~= nil and labels[label] ~= nil and labels[label][to] ~= nil
end

function graph.put(edges, from, label, to, value)
  edges[from] = edges[from] or {}
  edges[from][label] = edges[from][label] or {}
  edges[from][label][to] = value
end

-- The edges of a node: each as from, label, to.
function graph.edges_of(state, id)
  local found = list()
  for label, nodes in dpairs(state.out[id] or {}) do
    for to in dpairs(nodes) do
      found[#found + 1] = { id, label, to }
    end
  end
  for label, nodes in dpairs(state.into[id] or {}) do
    for from in dpairs(nodes) do
      -- A loop was met above.
      if from ~= id then
        found[#found + 1] = { from, label, id }
      end
    end
  end
  return found
end

-- The nodes that the pattern's node at a place may stand for, sorted by id, seen from those before it.
function graph.candidates(state, rule, match, place)
  if rule.nodes[place].id ~= nil then
    return { rule.nodes[place].id }
  end
  for _, edge in ipairs(rule.edges) do
    local ends = nil
    if edge.to == place and edge.from < place then
      ends = state.out[match[edge.from]] or {}
    elseif edge.from == place and edge.to < place then
      ends = state.into[match[edge.to]] or {}
    end
    if ends ~= nil then
      return dkeys(ends[edge.label] or {})
    end
  end
  return dkeys(state.nodes)
end

-- Whether a node fits at a place, with all edges to places up to it.
function graph.fits(state, rule, match, place)
  local label = state.nodes[match[place]]
  local wanted = rule.nodes[place].label
  if label == nil or (wanted ~= nil and wanted ~= label) then
    return false
  end
  for _, edge in ipairs(rule.edges) do
    if (edge.from == place or edge.to == place) and edge.from <= place and edge.to <= place then
      if not graph.has(state.out, match[edge.from], edge.label, match[edge.to]) then
        return false
      end
    end
  end
  return true
end

-- The identification condition: what is removed is what one part of the pattern alone stands for.
function graph.identified(rule, match)
  local nodes, edges = {}, {}
  for place, node in ipairs(rule.nodes) do
    local other = nodes[match[place]]
    if other ~= nil and not (node.kept and other.kept) then
      return true
    end
    nodes[match[place]] = node
  end
  for _, edge in ipairs(rule.edges) do
    local from, to = match[edge.from], match[edge.to]
    if graph.has(edges, from, edge.label, to) and not (edge.kept and edges[from][edge.label][to].kept) then
      return true
    end
    graph.put(edges, from, edge.label, to, edge)
  end
  return false
end

-- The dangling condition: the edges that would lose a node, and that the rule does not remove.
function graph.dangling(state, rule, match)
  local removed, found = {}, list()
  for _, edge in ipairs(rule.edges) do
    if not edge.kept then
      graph.put(removed, match[edge.from], edge.label, match[edge.to], true)
    end
  end
  for place, node in ipairs(rule.nodes) do
    if not node.kept then
      for _, edge in ipairs(graph.edges_of(state, match[place])) do
        if not graph.has(removed, edge[1], edge[2], edge[3]) then
          found[#found + 1] = edge
        end
      end
    end
  end
  return found
end

-- The ids that the rule would make and that are there already, or that it would make twice.
function graph.taken(state, rule, match)
  local there, found = {}, list()
  for place, node in ipairs(rule.nodes) do
    if not node.kept then
      there[match[place]] = false
    end
  end
  for _, node in ipairs(rule.new_nodes) do
    if there[node.id] or (there[node.id] == nil and state.nodes[node.id] ~= nil) then
      found[#found + 1] = node.id
    end
    there[node.id] = true
  end
  return found
end

-- Why a rule can't be applied to a match; nil where it can.
function graph.obstacle(state, rule, match)
  local found = nil
  if graph.identified(rule, match) then
    found = { reason = "identification" }
  else
    local edges, ids = graph.dangling(state, rule, match), graph.taken(state, rule, match)
    if #edges > 0 then
      found = { reason = "dangling", edges = edges }
    elseif #ids > 0 then
      found = { reason = "taken", nodes = ids }
    else
      return nil
    end
  end
  found.match = {}
  for place, node in ipairs(rule.nodes) do
    found.match[node.name] = match[place]
  end
  return found
end

-- The first match to which the rule can be applied; else nil and what stands in the way of the first match. Matches are
-- ordered by the ids of their nodes, in the order of the pattern's.
function graph.search(state, rule)
  local match, choices, at = {}, {}, {}
  local place, first = 0, nil
  while place >= 0 do
    if place == #rule.nodes then
      local obstacle = graph.obstacle(state, rule, match)
      if obstacle == nil then
        return match
      end
      first = first or obstacle
    else
      place = place + 1
      choices[place], at[place] = graph.candidates(state, rule, match, place), 0
    end
    place = graph.next_choice(state, rule, match, choices, at, place)
  end
  return nil, first or { reason = "no match" }
end

-- The last place at which another node fits, with that node in the match; -1 where there is none.
function graph.next_choice(state, rule, match, choices, at, place)
  while place > 0 do
    at[place] = at[place] + 1
    match[place] = choices[place][at[place]]
    if match[place] == nil then
      place = place - 1
    elseif graph.fits(state, rule, match, place) then
      return place
    end
  end
  return -1
end

function graph.apply(state, rule, match)
  for _, edge in ipairs(rule.edges) do
    local from, to = match[edge.from], match[edge.to]
    if not edge.kept and graph.has(state.out, from, edge.label, to) then
      graph.put(state.out, from, edge.label, to, nil)
      graph.put(state.into, to, edge.label, from, nil)
    end
  end
  for place, node in ipairs(rule.nodes) do
    if not node.kept then
      local id = match[place]
      state.nodes[id], state.out[id], state.into[id] = nil, nil, nil
    end
  end
  for place, node in ipairs(rule.new_nodes) do
    match[#rule.nodes + place] = node.id
    state.nodes[node.id] = node.label
  end
  for _, edge in ipairs(rule.new_edges) do
    graph.put(state.out, match[edge.from], edge.label, match[edge.to], true)
    graph.put(state.into, match[edge.to], edge.label, match[edge.from], true)
  end
end

-- Rewrites a graph by a rule, unless one before it did; gives true, or why none of them could.
function graph.try(state, tried, rule)
  if tried == true then
    return true
  end
  local missing = list()
  for path, value in dpairs(rule.asks) do
    if not value then
      missing[#missing + 1] = path
    end
  end
  local match, failure = nil, { reason = "missing" }
  if #missing == 0 then
    match, failure = graph.search(state, rule)
    missing = dkeys(rule.asks)
  end
  if match ~= nil then
    graph.apply(state, rule, match)
    return true
  end
  failure.rule = rule.id
  failure.paths = missing
  return lattice.note(tried, failure)
end

-- What became of an operation that no rule could follow.
function graph.conflict(op, failures)
  local found = nil
  for _, failure in ipairs(failures) do
    found = lattice.refusal(found, failure.paths, failure.rule)
    failure.paths = nil
  end
  local conflicts = lattice.conflict(op, found.paths, found.rules)
  for _, conflict in dpairs(conflicts) do
    conflict.outcomes = failures
  end
  return conflicts
end

-- A row for each node and each edge; in parts by a key, with the part's.
function graph.emit(path, state, part)
  for id, label in dpairs(state.nodes) do
    if part == nil then
      emit(path .. "/nodes", id, { label = label })
    else
      emit(path .. "/nodes", json.encode_canonical({ part, id }), { label = label, part = part })
    end
  end
  for from, labels in dpairs(state.out) do
    for label, nodes in dpairs(labels) do
      for to in dpairs(nodes) do
        local name, edge = list(), { from = from, label = label, to = to }
        if part ~= nil then
          name[1] = part
          edge.part = part
        end
        name[#name + 1] = from
        name[#name + 1] = label
        name[#name + 1] = to
        emit(path .. "/edges", json.encode_canonical(name), edge)
      end
    end
  end
end
