;; A byte a flag, as one would write it there.
(module
  (memory 64)
  (func (export "run") (param $n i64) (result i64)
    (local $i i64) (local $k i64) (local $count i64)
    (local.set $i (i64.const 1))
    (block $filled (loop $fill
      (br_if $filled (i64.gt_s (local.get $i) (local.get $n)))
      (i32.store8 (i32.wrap_i64 (local.get $i)) (i32.const 1))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br $fill)))
    (local.set $i (i64.const 2))
    (block $done (loop $next
      (br_if $done (i64.gt_s (local.get $i) (local.get $n)))
      (if (i32.load8_u (i32.wrap_i64 (local.get $i))) (then
        (local.set $count (i64.add (local.get $count) (i64.const 1)))
        (local.set $k (i64.add (local.get $i) (local.get $i)))
        (block $struck (loop $strike
          (br_if $struck (i64.gt_s (local.get $k) (local.get $n)))
          (i32.store8 (i32.wrap_i64 (local.get $k)) (i32.const 0))
          (local.set $k (i64.add (local.get $k) (local.get $i)))
          (br $strike)))))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br $next)))
    (local.get $count)))
