# std/governance: what a stream binds, who acts with which keys, and what policies ask about.
# Rows: binding "", epoch "", actors ACTOR, groups GROUP, grants GRANT, trust KEY.
profile 1
kind fold
export init 0
export step 1
export finish 2

# init() -> state
function 0 parameters 0 registers 2
    table r0 r0 0
    table r1 r1 0
    set-field r0 r1 .actors
    table r1 r1 0
    set-field r0 r1 .groups
    table r1 r1 0
    set-field r0 r1 .grants
    table r1 r1 0
    set-field r0 r1 .trust
    integer r1 0
    set-field r0 r1 .epoch
    return r0 1

# step(state, op) -> state; an op of another type changes nothing
function 1 parameters 2 registers 8
    get-field r2 r1 .type
    get-field r3 r1 .payload
    constant r4 "governance.genesis"
    if-equal r2 r4 @genesis
    constant r4 "governance.bind"
    if-equal r2 r4 @bind
    constant r4 "governance.actor"
    if-equal r2 r4 @actor
    constant r4 "governance.group"
    if-equal r2 r4 @group
    constant r4 "governance.grant"
    if-equal r2 r4 @grant
    constant r4 "governance.revoke"
    if-equal r2 r4 @revoke
    constant r4 "governance.trust"
    if-equal r2 r4 @trust
    return r0 1
@genesis:
    get-field r4 r3 .actors
    get-field r5 r0 .actors
    call-function r4 2 0 3
    get-field r4 r3 .groups
    get-field r5 r0 .groups
    call-function r4 2 0 3
    get-field r3 r3 .binding
    jump @bind
@bind:
    set-field r0 r3 .binding
    get-field r4 r0 .epoch
    add-integer r4 r4 1
    set-field r0 r4 .epoch
    return r0 1
@actor:
    get-field r4 r0 .actors
    get-field r5 r3 .actor
    get-field r6 r3 .keys
    set r4 r5 r6
    return r0 1
@group:
    get-field r4 r0 .groups
    get-field r5 r3 .group
    get-field r6 r3 .members
    set r4 r5 r6
    return r0 1
@grant:
    get-field r4 r0 .grants
    get-field r5 r3 .grant
    set r4 r5 r3
    return r0 1
@revoke:
    get-field r4 r0 .grants
    get-field r5 r3 .grant
    nil r6
    set r4 r5 r6
    return r0 1
@trust:
    get-field r4 r0 .trust
    get-field r5 r3 .key
    get-field r6 r3 .value
    set r4 r5 r6
    return r0 1

# finish(state)
function 2 parameters 1 registers 4
    constant r1 "binding"
    constant r2 ""
    get-field r3 r0 .binding
    call-builtin r1 3 0 emit
    constant r1 "epoch"
    constant r2 ""
    get-field r3 r0 .epoch
    call-builtin r1 3 0 emit
    constant r1 "actors"
    get-field r2 r0 .actors
    call-function r1 2 0 4
    constant r1 "groups"
    get-field r2 r0 .groups
    call-function r1 2 0 4
    constant r1 "grants"
    get-field r2 r0 .grants
    call-function r1 2 0 4
    constant r1 "trust"
    get-field r2 r0 .trust
    call-function r1 2 0 4
    return r0 0

# copy(from, to): nothing to copy where there is no `from`
function 3 parameters 2 registers 6
    unless r0 @done
    keys r2 r0
    integer r3 0
    jump @next
@entry:
    set r1 r4 r5
    jump @next
@next:
    each r2 r0 @entry
    return r0 0
@done:
    return r0 0

# rows(path, entries)
function 4 parameters 2 registers 9
    keys r2 r1
    integer r3 0
    jump @next
@entry:
    move r6 r0
    move r7 r4
    move r8 r5
    call-builtin r6 3 0 emit
    jump @next
@next:
    each r2 r1 @entry
    return r0 0
