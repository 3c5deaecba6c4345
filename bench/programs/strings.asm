profile 1
kind words
export run 0
function parameters 1 registers 14
    table r1 r1 0
    integer r2 1
    move r3 r0
    integer r4 1
    loop r2 @built
  @row:
    constant r6 "row "
    move r7 r5
    constant r8 ":"
    join r6 r6 3
    integer r7 1
    integer r8 8
    integer r9 1
    loop r7 @rowed
  @field:
    move r12 r10
    move r10 r6
    constant r11 " "
    add r12 r5 r12
    constant r13 ","
    join r6 r10 4
    again r7 @field
  @rowed:
    set r1 r5 r6
    again r2 @row
  @built:
    move r2 r1
    constant r3 "\n"
    call-builtin r2 2 1 table.concat
    length r2 r2
    return r2 1
