profile 1
kind words
export run 0
function parameters 1 registers 14
    table r1 r1 0
    constant r2 float(0)
    constant r3 float(0)
    constant r4 float(0)
    constant r5 float(0)
    constant r6 float(0)
    constant r7 float(0)
    constant r8 float(39.47841760435743)
    call-function r2 7 1 1
    set-item r1 r2 1
    constant r2 float(4.84143144246472090)
    constant r3 float(-1.16032004402742839)
    constant r4 float(-0.103622044471123109)
    constant r5 float(0.606326392995832)
    constant r6 float(2.81198684491626)
    constant r7 float(-0.02521836165988763)
    constant r8 float(0.03769367487038949)
    call-function r2 7 1 1
    set-item r1 r2 2
    constant r2 float(8.34336671824457987)
    constant r3 float(4.12479856412430479)
    constant r4 float(-0.403523417114321381)
    constant r5 float(-1.01077434617879)
    constant r6 float(1.82566237123041)
    constant r7 float(0.00841576137658415)
    constant r8 float(0.011286326131968767)
    call-function r2 7 1 1
    set-item r1 r2 3
    constant r2 float(12.8943695621391310)
    constant r3 float(-15.1111514016986312)
    constant r4 float(-0.223307578892655734)
    constant r5 float(1.08279100644154)
    constant r6 float(0.868713018169608)
    constant r7 float(-0.0108326374013636)
    constant r8 float(0.0017237240570597112)
    call-function r2 7 1 1
    set-item r1 r2 4
    constant r2 float(15.3796971148509165)
    constant r3 float(-25.9193146099879641)
    constant r4 float(0.179258772950371181)
    constant r5 float(0.979090732243898)
    constant r6 float(0.594698998647676)
    constant r7 float(-0.0347559555504078)
    constant r8 float(0.0020336868699246304)
    call-function r2 7 1 1
    set-item r1 r2 5
    move r9 r1
    integer r10 5
    constant r11 float(0.01)
    integer r2 1
    move r3 r0
    integer r4 1
    loop r2 @moved
  @step:
    move r6 r9
    move r7 r10
    move r8 r11
    call-function r6 3 0 2
    again r2 @step
  @moved:
    get-item r2 r1 1
    get-field r2 r2 .x
    get-item r3 r1 2
    get-field r3 r3 .y
    get-item r4 r1 3
    get-field r4 r4 .z
    get-item r5 r1 4
    get-field r5 r5 .vx
    get-item r6 r1 5
    get-field r6 r6 .vy
    return r2 5
function parameters 7 registers 8
    table r7 r7 0
    set-field r7 r0 .x
    set-field r7 r1 .y
    set-field r7 r2 .z
    set-field r7 r3 .vx
    set-field r7 r4 .vy
    set-field r7 r5 .vz
    set-field r7 r6 .mass
    return r7 1
function parameters 3 registers 28
    integer r3 1
    move r4 r1
    integer r5 1
    loop r3 @done
  @body:
    get r7 r0 r6
    get-field r8 r7 .x
    get-field r9 r7 .y
    get-field r10 r7 .z
    get-field r11 r7 .mass
    get-field r12 r7 .vx
    get-field r13 r7 .vy
    get-field r14 r7 .vz
    add-integer r15 r6 1
    move r16 r1
    integer r17 1
    loop r15 @pairs
  @pair:
    get r19 r0 r18
    get-field r20 r19 .x
    subtract r20 r8 r20
    get-field r21 r19 .y
    subtract r21 r9 r21
    get-field r22 r19 .z
    subtract r22 r10 r22
    multiply r23 r20 r20
    multiply r25 r21 r21
    add r23 r23 r25
    multiply r25 r22 r22
    add r23 r23 r25
    move r24 r23
    call-builtin r24 1 1 math.sqrt
    multiply r24 r23 r24
    divide r24 r2 r24
    multiply r27 r11 r24
    get-field r26 r19 .mass
    multiply r26 r26 r24
    multiply r25 r20 r26
    subtract r12 r12 r25
    multiply r25 r21 r26
    subtract r13 r13 r25
    multiply r25 r22 r26
    subtract r14 r14 r25
    get-field r25 r19 .vx
    multiply r24 r20 r27
    add r25 r25 r24
    set-field r19 r25 .vx
    get-field r25 r19 .vy
    multiply r24 r21 r27
    add r25 r25 r24
    set-field r19 r25 .vy
    get-field r25 r19 .vz
    multiply r24 r22 r27
    add r25 r25 r24
    set-field r19 r25 .vz
    again r15 @pair
  @pairs:
    set-field r7 r12 .vx
    set-field r7 r13 .vy
    set-field r7 r14 .vz
    multiply r25 r2 r12
    add r25 r8 r25
    set-field r7 r25 .x
    multiply r25 r2 r13
    add r25 r9 r25
    set-field r7 r25 .y
    multiply r25 r2 r14
    add r25 r10 r25
    set-field r7 r25 .z
    again r3 @body
  @done:
    return r0 0
