#!/bin/sh
# The marks that need builds of their own: LuaJIT with its JIT on and off, floats in software, and DuckDB if it is there.
# usage: bench/marks.sh [ROUNDS]; builds go to target/luajit and target/software.
set -eu
cd "$(dirname "$0")"
rounds=${1:-9}

echo "LuaJIT: its time over ours is the ratio; programs with integers beyond 2^53 are left out"
cargo build --release --quiet --no-default-features --features luajit --target-dir target/luajit
target/luajit/release/kerai-bench machine --rounds "$rounds"

echo
echo "floats in software, which is the law; there is no target"
cargo build --release --quiet --features software-float --target-dir target/software
target/software/release/kerai-bench n-body --rounds "$rounds"

echo
if python3 -c 'import duckdb' 2>/dev/null; then
    events=$(mktemp)
    trap 'rm -f "$events"' EXIT
    cargo run --release --quiet -- events >"$events"
    python3 duckdb_fold.py "$events" "$rounds"
    cargo run --release --quiet -- end-to-end --rounds "$rounds"
else
    echo "the Python package \`duckdb\` is not here: end-to-end stands alone"
fi
