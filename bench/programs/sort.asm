profile 1
kind words
export run 0
function parameters 1 registers 13
    table r1 r1 0
    integer r2 42
    integer r3 1103515245
    constant r4 2147483648
    integer r5 1
    move r6 r0
    integer r7 1
    loop r5 @filled
  @fill:
    multiply r2 r2 r3
    add-integer r2 r2 12345
    modulo r2 r2 r4
    move r9 r1
    move r10 r2
    call-builtin r9 2 0 table.insert
    again r5 @fill
  @filled:
    move r9 r1
    call-builtin r9 1 0 table.sort
    integer r2 0
    integer r3 31
    integer r4 1000000007
    integer r5 1
    integer r7 1000
    loop r5 @checked
  @check:
    multiply r2 r2 r3
    get r9 r1 r8
    add r2 r2 r9
    modulo r2 r2 r4
    again r5 @check
  @checked:
    return r2 1
