profile 1
kind words
export run 0
function parameters 1 registers 13
    table r1 r1 0
    integer r2 0
    integer r3 7919
    integer r4 100000
    constant r10 0.01
    integer r5 1
    integer r6 1000
    integer r7 1
    loop r5 @filled
  @fill:
    multiply r9 r8 r3
    modulo r9 r9 r4
    multiply r9 r9 r10
    set r1 r8 r9
    again r5 @fill
  @filled:
    integer r5 1
    move r6 r0
    loop r5 @summed
  @round:
    integer r9 1
    integer r10 1000
    integer r11 1
    loop r9 @next
  @sum:
    get r12 r1 r12
    add r2 r2 r12
    again r9 @sum
  @next:
    again r5 @round
  @summed:
    return r2 1
