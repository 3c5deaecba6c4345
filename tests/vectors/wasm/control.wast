;; What a script may hold beside single operations (; control, calls, memory (; and such comments ;) ;), each once.

(module
  (func $square (param f64) (result f64) (f64.mul (local.get 0) (local.get 0)))
  (func (export "hypotenuse") (param f64 f64) (result f64)
    local.get 0 call $square local.get 1 call $square f64.add f64.sqrt)
  (func (export "if") (param $x f64) (param $y f64) (result f64)
    (if (result f64) (f64.lt (local.get $x) (local.get $y)) (then (local.get $x)) (else (local.get $y))))
  (func (export "select") (param $x f64) (param $y f64) (result f64)
    (select (local.get $x) (local.get $y) (f64.lt (local.get $x) (local.get $y))))
  (func (export "factorial") (param i64) (result i64) (local i64)
    (local.set 1 (i64.const 1))
    (block $done
      (loop $more
        (br_if $done (i64.eqz (local.get 0)))
        (local.set 1 (i64.mul (local.get 0) (local.get 1)))
        (local.set 0 (i64.sub (local.get 0) (i64.const 1)))
        (br $more)))
    (local.get 1))
  (func (export "flat") (param i32) (result i32)
    block $a (result i32)
      i32.const 7
      local.get 0
      br_if $a
      drop
      i32.const 9
    end
    loop
      nop
    end
    local.get 0
    if (result i32)
      i32.const 1
    else
      i32.const 2
    end
    i32.add)
  (func (export "carry") (param i32) (result i32)
    (block $a (result i32) (i32.add (i32.const 100) (br_if $a (i32.const 5) (local.get 0)))))
  (func (export "return") (param i32) (result i32)
    (if (local.get 0) (then (return (i32.const 3)))) (i32.const 4))
  (func (export "nested") (param i32) (result i32)
    (block $o (result i32) (block $i (br_if $i (local.get 0)) (br $o (i32.const 1))) (i32.const 2)))
  (func (export "unreached") (result i32) (block (result i32) (br 0 (i32.const 1)) (i32.add)))
  (func (export "unreachable") (result i32) (unreachable))
  (func (export "both-return") (param i32) (result i32)
    (if (result i32) (local.get 0) (then (return (i32.const 8))) (else (return (i32.const 9)))))
  (func (export "tee") (param i64) (result i64) (local $t i64) (i64.add (local.tee $t (local.get 0)) (local.get $t)))
  (func (export "there-and-back") (param f64) (result f64) (f64.convert_i64_s (i64.trunc_f64_s (local.get 0))))
  (func (export "bits") (param f64) (result i64) (i64.reinterpret_f64 (local.get 0)))
  (func (export "rotate") (param i64 i64) (result i64) (i64.rotr (i64.rotl (local.get 0) (local.get 1)) (i64.const 4)))
  (func (export "count") (param i64) (result i64)
    (i64.add (i64.popcnt (local.get 0)) (i64.add (i64.clz (local.get 0)) (i64.ctz (local.get 0)))))
)
(assert_return (invoke "hypotenuse" (f64.const 3) (f64.const 4)) (f64.const 5))
(assert_return (invoke "if" (f64.const nan) (f64.const -0.0)) (f64.const -0.0))
(assert_return (invoke "select" (f64.const 0.0) (f64.const -nan:0x8000000000001)) (f64.const -nan:0x8000000000001))
(assert_return (invoke "factorial" (i64.const 20)) (i64.const 2432902008176640000))
(assert_return (invoke "factorial" (i64.const 21)) (i64.const -4249290049419214848))
(assert_return (invoke "factorial" (i64.const 25)) (i64.const 7034535277573963776))
(assert_return (invoke "flat" (i32.const 1)) (i32.const 8))
(assert_return (invoke "flat" (i32.const 0)) (i32.const 11))
(assert_return (invoke "carry" (i32.const 0)) (i32.const 105))
(assert_return (invoke "carry" (i32.const 1)) (i32.const 5))
(assert_return (invoke "return" (i32.const 1)) (i32.const 3))
(assert_return (invoke "return" (i32.const 0)) (i32.const 4))
(assert_return (invoke "nested" (i32.const 0)) (i32.const 1))
(assert_return (invoke "nested" (i32.const 1)) (i32.const 2))
(assert_return (invoke "unreached") (i32.const 1))
(assert_trap (invoke "unreachable") "unreachable")
(assert_return (invoke "both-return" (i32.const 1)) (i32.const 8))
(assert_return (invoke "both-return" (i32.const 0)) (i32.const 9))
(assert_return (invoke "tee" (i64.const 0x4000000000000000)) (i64.const 0x8000000000000000))
(assert_return (invoke "there-and-back" (f64.const -4503599627370495.5)) (f64.const -4503599627370495))
(assert_trap (invoke "there-and-back" (f64.const 1e19)) "integer overflow")
(assert_return (invoke "bits" (f64.const -0x0.0000000000001p-1022)) (i64.const 0x8000000000000001))
(assert_return (invoke "bits" (f64.const 0x1.8p+1)) (i64.const 0x4008000000000000))
(assert_return (invoke "rotate" (i64.const 0x8123456789abcdef) (i64.const 64)) (i64.const 0xf8123456789abcde))
(assert_return (invoke "count" (i64.const 0x0ff0)) (i64.const 64))

(module
  (memory 1 1)
  (func (export "put") (param $i i32) (param $x f64) (f64.store (local.get $i) (local.get $x)))
  (func (export "divide") (param $n i32) (param $z f64)
    (local $i i32)
    (block $exit
      (loop $more
        (f64.store (local.get $i) (f64.div (f64.load (local.get $i)) (local.get $z)))
        (local.set $i (i32.add (local.get $i) (i32.const 8)))
        (br_if $more (i32.lt_u (local.get $i) (local.get $n))))))
  (func (export "get") (param $i i32) (result f64) (f64.load (local.get $i)))
)
(invoke "put" (i32.const 0) (f64.const 15.1))
(invoke "put" (i32.const 8) (f64.const -0.0))
(assert_return (invoke "get" (i32.const 0)) (f64.const 15.1))
(assert_return (invoke "get" (i32.const 16)) (f64.const 0))
(invoke "divide" (i32.const 16) (f64.const 3.0))
(assert_return (invoke "get" (i32.const 0)) (f64.const 0x1.4222222222222p+2))
(assert_return (invoke "get" (i32.const 8)) (f64.const -0.0))

(module
  (memory (data "\00\00\00\00\00\00\f4\7f\01\00\00\80\u{e9}\"\t"))
  (data (i32.const 16) "\01\02\ff")
  (func (export "float") (param i32) (result f64) (f64.load (local.get 0)))
  (func (export "i64") (param i32) (result i64) (i64.load (local.get 0)))
  (func (export "i32") (param i32) (result i32) (i32.load offset=8 align=1 (local.get 0)))
  (func $byte (export "signed") (param i32) (result i32) (i32.load8_s (local.get 0)))
  (func (export "unsigned") (param i32) (result i64) (i64.load8_u (local.get 0)))
  (func (export "put") (param i32 i64) (i64.store8 (local.get 0) (local.get 1)))
  (func (export "after-call") (param i32) (result i32) (i32.add (i32.const 1) (call $byte (local.get 0))))
  (func (export "copy") (f64.store (i32.const 32) (f64.load (i32.const 0))))
)
(assert_return (invoke "float" (i32.const 0)) (f64.const nan:0x4000000000000))
(assert_return (invoke "i64" (i32.const 0)) (i64.const 0x7ff4000000000000))
(assert_return (invoke "i32" (i32.const 0)) (i32.const 0x80000001))
(assert_return (invoke "i32" (i32.const 4)) (i32.const 0x0922a9c3))
(assert_return (invoke "signed" (i32.const 18)) (i32.const -1))
(assert_return (invoke "unsigned" (i32.const 18)) (i64.const 255))
(invoke "put" (i32.const 19) (i64.const -2))
(assert_return (invoke "signed" (i32.const 19)) (i32.const -2))
(assert_return (invoke "after-call" (i32.const 16)) (i32.const 2))
(invoke "copy")
(assert_return (invoke "i64" (i32.const 32)) (i64.const 0x7ff4000000000000))
