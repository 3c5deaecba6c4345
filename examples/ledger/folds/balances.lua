--!order commit
--!key payload.account

-- One account: the fold of all of them is made by the key.
function init()
  return { balance = 0, moves = 0 }
end

-- An operation that would overdraw the account leaves no trace in it.
function step(state, op)
  local balance = state.balance + op.payload.amount
  if balance < 0 then
    error("overdrawn")
  end
  state.balance = balance
  state.moves = state.moves + 1
end

function finish(state, account)
  emit("balances", account or "(no account)", { balance = state.balance, moves = state.moves })
end
