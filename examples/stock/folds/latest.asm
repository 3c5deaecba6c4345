# What was said last of each item, by ULID. An op without an item counts for nothing.
profile 1
kind fold
export init 0
export step 1
export finish 2

# init() -> state
function 0 parameters 0 registers 1
    table r0 r0 0
    return r0 1

# step(state, op) -> state
function 1 parameters 2 registers 4
    get-field r2 r1 .payload
    get-field r3 r2 .item
    unless r3 @nothing
    set r0 r3 r2
    return r0 1
@nothing:
    return r0 1

# finish(state): a row for each item
function 2 parameters 1 registers 8
    keys r1 r0
    integer r2 0
    jump @next
@entry:
    constant r5 "stock"
    move r6 r3
    move r7 r4
    call-builtin r5 3 0 emit
    jump @next
@next:
    each r1 r0 @entry
    return r0 0
