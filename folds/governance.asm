# std/governance: what a stream binds, who acts with which keys, and what policies ask about.
# Rows: binding "", epoch "", actors ACTOR, groups GROUP, grants GRANT, trust KEY, revoked GRANT.
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
    table r1 r1 0
    set-field r0 r1 .revoked
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
    constant r4 "governance.rotate"
    if-equal r2 r4 @rotate
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
@rotate:
    get-field r2 r0 .actors
    get-field r7 r3 .actor
    get r4 r2 r7
    get-field r5 r3 .prev
    get-field r6 r3 .key
    call-function r4 3 1 6
    set r2 r7 r4
    return r0 1
@grant:
    get-field r4 r0 .grants
    get-field r5 r3 .prev
    unless r5 @first
    # What a grant goes on from must be there, and ends by it.
    get r6 r4 r5
    get-field r6 r6 .grant
    table r5 r5 1
    move r6 r4
    get-field r7 r0 .revoked
    call-function r5 3 0 5
    jump @first
@first:
    get-field r5 r3 .revokes
    move r6 r4
    get-field r7 r0 .revoked
    call-function r5 3 0 5
    get-field r5 r3 .grant
    set r4 r5 r3
    return r0 1
@revoke:
    get-field r5 r3 .grant
    table r5 r5 1
    get-field r6 r0 .grants
    get-field r7 r0 .revoked
    call-function r5 3 0 5
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
    constant r1 "revoked"
    get-field r2 r0 .revoked
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

# revoke(ids, grants, revoked): for ever, whatever is granted under these ids again
function 5 parameters 3 registers 9
    unless r0 @done
    bool r8 true
    keys r3 r0
    integer r4 0
    jump @next
@entry:
    set r2 r6 r8
    nil r7
    set r1 r6 r7
    jump @next
@next:
    each r3 r0 @entry
    return r0 0
@done:
    return r0 0

# replace(keys, from, to) -> a new list: ops are not written to
function 6 parameters 3 registers 9
    table r3 r3 0
    bool r8 false
    keys r4 r0
    integer r5 0
    jump @next
@entry:
    unless-equal r7 r1 @keep
    move r7 r2
    bool r8 true
    jump @keep
@keep:
    set r3 r6 r7
    jump @next
@next:
    each r4 r0 @entry
    if r8 @done
    constant r8 "the actor signs with no such key"
    raise r8
@done:
    return r3 1
