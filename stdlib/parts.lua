-- What a fold with a key is made of: its state is a map from keys to parts, and each part is a fold of its own, which sees
-- nothing of the others. Sources can't name these functions.

-- The text of a key, as rows have it; false for the one part of all operations that have none.
function parts.of(value)
  return lattice.name(value) or false
end

-- Each part is read by itself, and is told its key, and whether it is the first: what is said once for all parts is said there.
function parts.finish(state, finish)
  local first = true
  for name, part in dpairs(state) do
    finish(part, name or nil, first)
    first = false
  end
end
