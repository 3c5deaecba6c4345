# What WebAssembly has in one operation and kerai in several instructions. Integers stand for 32 or 64 bits as signed
# ones; the width comes last. A function's name follows its header.

function 0 parameters 1 registers 2 # power_of_two
    integer r1 2
    power r0 r1 r0
    return r0 1

function 1 parameters 2 registers 2 # unsigned
    call-function r1 1 1 0
    modulo r0 r0 r1
    return r0 1

function 2 parameters 2 registers 3 # wrap
    call-function r1 1 1 0
    modulo r0 r0 r1
    add r2 r0 r0
    if-less r2 r1 @positive
    subtract r0 r0 r1
    jump @positive
  @positive:
    return r0 1

function 3 parameters 3 registers 8 # divide_signed
    move r3 r0
    call-builtin r3 1 1 math.abs
    move r4 r1
    call-builtin r4 1 1 math.abs
    floor-divide r3 r3 r4
    integer r5 0
    less r6 r0 r5
    less r7 r1 r5
    if-equal r6 r7 @positive
    negate r3 r3
    jump @positive
  @positive:
    return r3 1

function 4 parameters 3 registers 5 # remainder_signed
    move r3 r0
    call-builtin r3 1 1 math.abs
    move r4 r1
    call-builtin r4 1 1 math.abs
    modulo r3 r3 r4
    if-less-integer r0 0 @negative
    return r3 1
  @negative:
    negate r3 r3
    return r3 1

function 5 parameters 3 registers 6 # divide_unsigned
    move r3 r0
    move r4 r2
    call-function r3 2 1 1
    move r4 r1
    move r5 r2
    call-function r4 2 1 1
    floor-divide r3 r3 r4
    move r4 r2
    call-function r3 2 1 2
    return r3 1

function 6 parameters 3 registers 6 # remainder_unsigned
    move r3 r0
    move r4 r2
    call-function r3 2 1 1
    move r4 r1
    move r5 r2
    call-function r4 2 1 1
    modulo r3 r3 r4
    move r4 r2
    call-function r3 2 1 2
    return r3 1

function 7 parameters 3 registers 4 # shift_left
    add-integer r3 r2 -1
    and r1 r1 r3
    shift-left r0 r0 r1
    move r1 r2
    call-function r0 2 1 2
    return r0 1

function 8 parameters 3 registers 4 # shift_right_signed
    add-integer r3 r2 -1
    and r1 r1 r3
    call-function r1 1 1 0
    floor-divide r0 r0 r1
    return r0 1

# The integer whose bits are those of a: 64 of them are an integer's own, fewer are without a sign.
function 9 parameters 2 registers 2 # pattern
    if-equal-integer r1 64 @whole
    call-function r0 2 1 1
    return r0 1
  @whole:
    return r0 1

function 10 parameters 3 registers 6 # shift_right_unsigned
    add-integer r3 r2 -1
    and r1 r1 r3
    move r4 r0
    move r5 r2
    call-function r4 2 1 9
    shift-right r0 r4 r1
    move r1 r2
    call-function r0 2 1 2
    return r0 1

function 11 parameters 3 registers 6 # rotate_left
    add-integer r3 r2 -1
    and r1 r1 r3
    move r4 r0
    move r5 r2
    call-function r4 2 1 9
    shift-left r0 r4 r1
    subtract r5 r2 r1
    shift-right r4 r4 r5
    or r0 r0 r4
    move r1 r2
    call-function r0 2 1 2
    return r0 1

function 12 parameters 3 registers 4 # rotate_right
    add-integer r3 r2 -1
    and r1 r1 r3
    subtract r1 r2 r1
    call-function r0 3 1 11
    return r0 1

function 13 parameters 2 registers 4 # leading_zeros
    move r2 r0
    move r3 r1
    call-function r2 2 1 9
    integer r3 1
    jump @test
  @more:
    shift-right r2 r2 r3
    add-integer r1 r1 -1
    jump @test
  @test:
    unless-equal-integer r2 0 @more
    return r1 1

function 14 parameters 2 registers 5 # trailing_zeros
    move r2 r0
    move r3 r1
    call-function r2 2 1 9
    if-equal-integer r2 0 @done
    integer r1 0
    integer r3 1
    jump @test
  @more:
    shift-right r2 r2 r3
    add-integer r1 r1 1
    jump @test
  @test:
    and r4 r2 r3
    if-equal-integer r4 0 @more
    jump @done
  @done:
    return r1 1

function 15 parameters 2 registers 6 # count_ones
    move r2 r0
    move r3 r1
    call-function r2 2 1 9
    integer r3 1
    integer r4 0
    jump @test
  @more:
    and r5 r2 r3
    add r4 r4 r5
    shift-right r2 r2 r3
    jump @test
  @test:
    unless-equal-integer r2 0 @more
    return r4 1

function 16 parameters 1 registers 1 # truncate
    if-less-integer r0 0 @up
    call-function r0 1 1 32
    return r0 1
  @up:
    call-function r0 1 1 33
    return r0 1

# Beyond 2^52 every float is integral, and adding it to a smaller one rounds that to an integer, ties to even.
function 17 parameters 1 registers 3 # nearest
    if-equal-integer r0 0 @same
    constant r1 4503599627370496
    move r2 r0
    call-builtin r2 1 1 math.abs
    unless-less r2 r1 @same
    add r2 r2 r1
    subtract r2 r2 r1
    if-less-integer r0 0 @negative
    return r2 1
  @negative:
    negate r2 r2
    return r2 1
  @same:
    return r0 1

# A power is correctly rounded, so that the one by a half is the root, but for minus zero and minus infinity.
function 18 parameters 1 registers 2 # square_root
    if-equal-integer r0 0 @same
    if-less-integer r0 0 @none
    constant r1 float(0.5)
    power r0 r0 r1
    return r0 1
  @none:
    constant r0 float(nan)
    return r0 1
  @same:
    return r0 1

function 19 parameters 2 registers 2 # minimum
    if-less r0 r1 @first
    if-less r1 r0 @second
    unless-equal r0 r1 @neither
    unless-equal-integer r0 0 @first
    negate r0 r0
    negate r1 r1
    add r0 r0 r1
    negate r0 r0
    return r0 1
  @first:
    return r0 1
  @second:
    return r1 1
  @neither:
    add r0 r0 r1
    return r0 1

function 20 parameters 2 registers 2 # maximum
    if-less r1 r0 @first
    if-less r0 r1 @second
    unless-equal r0 r1 @sum
    unless-equal-integer r0 0 @first
    jump @sum
  @first:
    return r0 1
  @second:
    return r1 1
  @sum:
    add r0 r0 r1
    return r0 1

function 21 parameters 2 registers 3 # copy_sign
    call-builtin r0 1 1 math.abs
    if-less-integer r1 0 @negative
    unless-equal-integer r1 0 @positive
    constant r2 float(1)
    divide r2 r2 r1
    if-less-integer r2 0 @negative
    jump @positive
  @positive:
    return r0 1
  @negative:
    negate r0 r0
    return r0 1

function 22 parameters 2 registers 2 # to_integer
    call-function r0 1 1 16
    call-builtin r0 1 1 decimal
    return r0 1

function 23 parameters 2 registers 3 # to_unsigned
    call-function r0 2 1 22
    if-less-integer r0 0 @other
    move r2 r1
    call-function r2 1 1 0
    unless-less r0 r2 @other
    call-function r0 2 1 2
    jump @other
  @other:
    return r0 1

function 24 parameters 3 registers 3 # saturate
    unless-equal r0 r0 @none
    if-less r0 r1 @low
    if-less r2 r0 @high
    call-function r0 2 1 22
    return r0 1
  @none:
    integer r0 0
    return r0 1
  @low:
    return r1 1
  @high:
    return r2 1

function 25 parameters 2 registers 3 # saturate_signed
    add-integer r2 r1 -1
    call-function r2 1 1 0
    negate r1 r2
    add-integer r2 r2 -1
    call-function r0 3 1 24
    return r0 1

function 26 parameters 2 registers 4 # saturate_unsigned
    move r3 r1
    integer r1 0
    move r2 r3
    call-function r2 1 1 0
    add-integer r2 r2 -1
    call-function r0 3 1 24
    move r1 r3
    call-function r0 2 1 2
    return r0 1

function 27 parameters 2 registers 2 # convert_unsigned
    call-function r0 2 1 1
    call-builtin r0 1 1 float
    return r0 1

# The bits are (e - 1) × 2^52 + m where the magnitude is m × 2^(e - 1075), m below 2^53, and e at least 1.
function 28 parameters 1 registers 9 # bits_of
    unless-equal r0 r0 @nan
    constant r2 float(1)
    move r3 r0
    call-function r2 2 1 21
    call-builtin r0 1 1 math.abs
    constant r3 float(inf)
    if-equal r0 r3 @infinite
    integer r4 1075
    constant r5 4503599627370496
    constant r6 9007199254740992
    constant r7 float(2)
    constant r8 float(0.5)
    jump @small
  @double:
    multiply r0 r0 r7
    add-integer r4 r4 -1
    jump @small
  @small:
    unless-less r0 r5 @large
    if-at-most-integer r4 1 @large
    jump @double
  @halve:
    multiply r0 r0 r8
    add-integer r4 r4 1
    jump @large
  @large:
    unless-less r0 r6 @halve
    call-builtin r0 1 1 decimal
    add-integer r4 r4 -1
    multiply r4 r4 r5
    add r0 r0 r4
    jump @sign
  @infinite:
    constant r0 9218868437227405312
    jump @sign
  @nan:
    constant r0 9221120237041090560
    return r0 1
  @sign:
    if-less-integer r2 0 @negative
    return r0 1
  @negative:
    constant r3 9223372036854775808
    subtract r0 r0 r3
    return r0 1

function 29 parameters 1 registers 8 # float_of
    integer r1 0
    less r1 r0 r1
    constant r2 9223372036854775807
    and r0 r0 r2
    integer r3 52
    shift-right r4 r0 r3
    constant r5 4503599627370495
    and r6 r0 r5
    if-equal-integer r4 2047 @special
    if-equal-integer r4 0 @scale
    constant r7 4503599627370496
    add r6 r6 r7
    add-integer r4 r4 -1
    jump @scale
  @scale:
    add-integer r4 r4 -1074
    call-builtin r6 1 1 float
    constant r7 float(2)
    power r7 r7 r4
    multiply r0 r6 r7
    jump @sign
  @special:
    unless-equal-integer r6 0 @nan
    constant r0 float(inf)
    jump @sign
  @nan:
    constant r0 float(nan)
    return r0 1
  @sign:
    if r1 @negative
    return r0 1
  @negative:
    negate r0 r0
    return r0 1

# Memory is a map from addresses to bytes; what was never written is 0.
function 30 parameters 3 registers 8 # load
    integer r3 0
    integer r4 1
    integer r5 256
    add r6 r0 r2
    jump @test
  @more:
    get r7 r1 r0
    unless r7 @next
    multiply r7 r7 r4
    add r3 r3 r7
    jump @next
  @next:
    multiply r4 r4 r5
    add-integer r0 r0 1
    jump @test
  @test:
    if-less r0 r6 @more
    return r3 1

function 31 parameters 4 registers 7 # store
    integer r4 256
    add r5 r0 r3
    jump @test
  @more:
    modulo r6 r1 r4
    floor-divide r1 r1 r4
    set r2 r0 r6
    add-integer r0 r0 1
    jump @test
  @test:
    if-less r0 r5 @more
    return r0 0

# The machine's rounding gives integers, as Lua's does: floats again, a zero with the operand's sign.
function 32 parameters 1 registers 3 # floor
    move r1 r0
    call-builtin r1 1 1 math.floor
    move r2 r0
    call-function r1 2 1 34
    return r1 1

function 33 parameters 1 registers 3 # ceiling
    move r1 r0
    call-builtin r1 1 1 math.ceil
    move r2 r0
    call-function r1 2 1 34
    return r1 1

function 34 parameters 2 registers 2 # signed_zero
    call-builtin r0 1 1 float
    unless-equal-integer r0 0 @same
    if-equal-integer r1 0 @operand
    unless-less-integer r1 0 @same
    negate r0 r0
    jump @same
  @same:
    return r0 1
  @operand:
    return r1 1
