-- A graph of commits: which there are, what each did, and which paths were ever touched. Merging it takes no order.
function init()
  return {}
end

function lift(op)
  local p, added, deleted, paths = op.payload, 0, 0, {}
  for _, file in ipairs(p.files) do
    added = added + (file[1] or 0)
    deleted = deleted + (file[2] or 0)
    paths[file[3]] = true
  end
  return { commits = { [p.id] = { p.author, added, deleted, p.parents } }, paths = paths }
end

function join(a, b)
  if a.commits == nil then
    return b
  elseif b.commits ~= nil then
    a.commits = lattice.map(a.commits, b.commits, lattice.max)
    a.paths = lattice.union(a.paths, b.paths)
  end
  return a
end

function finish(state)
  local total = { added = 0, deleted = 0, events = 0, merges = 0, unknown_parents = 0 }
  local authors = {}
  for id, commit in dpairs(state.commits or {}) do
    total.events = total.events + 1
    total.added = total.added + commit[2]
    total.deleted = total.deleted + commit[3]
    authors[commit[1]] = (authors[commit[1]] or 0) + 1
    if #commit[4] > 1 then
      total.merges = total.merges + 1
    end
    for _, parent in ipairs(commit[4]) do
      if state.commits[parent] == nil then
        total.unknown_parents = total.unknown_parents + 1
      end
    end
  end
  emit_json_canonical("total", total)
  emit("total", "authors", #dkeys(authors))
  emit("total", "paths", #dkeys(state.paths or {}))
  emit("total", "per_author", authors)
end
