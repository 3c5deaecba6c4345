profile 1
kind words
export run 0
function parameters 1 registers 3
    unless-less-integer r0 2 @sum
    return r0 1
  @sum:
    add-integer r1 r0 -1
    call-function r1 1 1 0
    add-integer r2 r0 -2
    call-function r2 1 1 0
    add r1 r1 r2
    return r1 1
