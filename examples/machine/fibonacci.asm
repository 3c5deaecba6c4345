# The Fibonacci numbers, the slow way: much calling, little else.
#   kerai asm examples/machine/fibonacci.asm -o fibonacci.rgw
#   echo 20 | kerai exec fibonacci.rgw --input -
profile 1
kind words
export fibonacci 0

function 0 parameters 1 registers 3
    unless-less-integer r0 2 @sum
    return r0 1
@sum:
    add-integer r1 r0 -1
    call-function r1 1 1 0
    add-integer r2 r0 -2
    call-function r2 1 1 0
    add r1 r1 r2
    return r1 1
