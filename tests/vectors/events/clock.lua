--!order commit
-- How often a commit is older than the one that the log has before it.
function init()
  return { back = 0, last = 0 }
end

function step(state, op)
  if op.payload.committed < state.last then
    state.back = state.back + 1
  end
  state.last = op.payload.committed
end

function finish(state)
  emit("clock", "time_not_monotonic", state.back)
end
