# std/owner-only: the owners of a stream may do everything, others nothing but replace a key of their own.
# Who owns it is governance's to say: the members of the group `owner`.
profile 1
kind policy
export decide 0
rule "own-key" "the actor replaces a key of its own"
rule "owner" "the actor is in the group `owner`"

function 0 parameters 1 registers 8
    get-field r1 r0 .groups
    unless r1 @deny
    get-field r2 r1 .owner
    unless r2 @deny
    get-field r3 r0 .actor
    keys r4 r2
    integer r5 0
    jump @next
@member:
    if-equal r7 r3 @allow
    jump @next
@next:
    each r4 r2 @member
    get-field r1 r0 .type
    constant r2 "governance.rotate"
    unless-equal r1 r2 @deny
    get-field r1 r0 .payload
    get-field r2 r1 .actor
    unless-equal r2 r3 @deny
    constant r1 "allow"
    constant r2 "own-key"
    table r2 r2 1
    return r1 2
@allow:
    constant r1 "allow"
    constant r2 "owner"
    table r2 r2 1
    return r1 2
@deny:
    constant r1 "deny"
    constant r2 "default"
    table r2 r2 1
    return r1 2
