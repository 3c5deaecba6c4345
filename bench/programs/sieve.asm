profile 1
kind words
export run 0
function parameters 1 registers 13
    table r1 r1 0
    integer r2 0
    bool r3 true
    bool r4 false
    integer r5 1
    move r6 r0
    integer r7 1
    loop r5 @filled
  @fill:
    set r1 r8 r3
    again r5 @fill
  @filled:
    integer r5 2
    move r6 r0
    integer r7 1
    loop r5 @counted
  @count:
    get r9 r1 r8
    unless r9 @next
    add-integer r2 r2 1
    add r9 r8 r8
    move r10 r0
    move r11 r8
    loop r9 @struck
  @strike:
    set r1 r12 r4
    again r9 @strike
  @struck:
    jump @next
  @next:
    again r5 @count
  @counted:
    return r2 1
