#!/usr/bin/env bash
# Runs every golden case on several platforms: all must pass, and all must print the same root.
#
# usage: golden/platforms.sh [PLATFORM…]     without a name, the platforms of every run
#        golden/platforms.sh all             all of them
#        golden/platforms.sh --help          this text and the list
#
# linux-gnu uses the cargo on the path. The others are built by Debian's own compiler and run by
# an emulator; missing packages are installed by name, so they want Debian 12 on x86-64, as root.
#   KERAI_PLATFORM_CACHE       libraries and builds are kept here (default: ~/.cache/kerai-platforms)
#   KERAI_PLATFORM_TIME_LIMIT  seconds that one platform may run its cases (default: 900)
#   KERAI_VECTORS              test data nobody here wrote: a sample of each set becomes cases too (default:
#                              shared/vectors beside the project, if it is there)
#   KERAI_VECTORS_SAMPLE       that sample, where `cargo test --test vectors -- --keep FOLDER` has made it already
set -euo pipefail

# A platform, whether every run includes it, and the function below that builds and runs it.
platforms() {
  cat <<'TABLE'
linux-gnu                 every      host --release
linux-gnu-debug           every      host --profile=dev
linux-gnu-second-seed     every      KERAI_MAP_SEED=2 elsewhere host --release
linux-gnu-software-float  every      host --release --features=kerai-vm/software-float
linux-s390x               every      emulated s390x-unknown-linux-gnu s390x s390x-linux-gnu qemu-s390x-static
linux-aarch64             every      emulated aarch64-unknown-linux-gnu arm64 aarch64-linux-gnu qemu-aarch64-static
linux-i686                every      emulated i686-unknown-linux-gnu i386 i686-linux-gnu
linux-armv7               on-demand  emulated armv7-unknown-linux-gnueabihf armhf arm-linux-gnueabihf qemu-arm-static
linux-riscv64             on-demand  emulated riscv64gc-unknown-linux-gnu riscv64 riscv64-linux-gnu qemu-riscv64-static
linux-ppc64le             on-demand  emulated powerpc64le-unknown-linux-gnu ppc64el powerpc64le-linux-gnu qemu-ppc64le-static
linux-ppc64               on-demand  emulated powerpc64-unknown-linux-gnu ppc64 powerpc64-linux-gnu qemu-ppc64-static
linux-musl                every      musl
windows-gnu               every      windows
wasm32-node               every      webassembly in_node
wasm32-wasmtime           every      webassembly in_wasmtime
wasm32-chromium           on-demand  webassembly in_chromium
wasm32-wasip1             on-demand  system_interface
linux-i586                on-demand  refused i586-unknown-linux-gnu "x86 without SSE2"
TABLE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${KERAI_PLATFORM_CACHE:-$HOME/.cache/kerai-platforms}
time_limit=${KERAI_PLATFORM_TIME_LIMIT:-900}
wasmtime_version=50.0.1
# What a page can ask its visitors to fetch, in bytes.
module_limit=1500000
platform=platforms

say() { echo "[$platform ${SECONDS}s] $*" >&2; }
die() { say "error: $*"; exit 1; }

# build CARGO-OPTION…: with the compiler of the platform's route.
build() {
  say building
  "${CARGO:-cargo}" build --quiet --locked --manifest-path "$root/Cargo.toml" "$@" || die "the build failed"
}

# judge COMMAND…: runs the cases by a command that ends with the summary, and adds the platform's row to the table.
judge() {
  local output=$scratch/output status=0 summary
  say running
  timeout "$time_limit" "$@" >"$output" || status=$?
  sed -i 's/\r$//' "$output"
  sed -n '$!{1,100p}' "$output" >&2
  summary=$(tail -n 1 "$output")
  [[ $summary =~ ^golden:\ ([0-9]+)\ cases,\ ([0-9]+)\ passed,\ root\ (blake3:[0-9a-f]{64})$ ]] ||
    die "no summary: the program ended with $status after \`$summary\`"
  row "${BASH_REMATCH[@]:1}"
  [ "${BASH_REMATCH[1]}" -gt 0 ] || die "there are no cases"
  [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ] || die "$((BASH_REMATCH[1] - BASH_REMATCH[2])) cases failed"
  [ "$status" = 0 ] || die "the program ended with $status"
  say "all ${BASH_REMATCH[1]} cases passed"
}

# golden CARGO-OPTION…: builds the program and runs the cases.
golden() {
  local options=(--package kerai-golden --bin golden-portable "$@")
  build "${options[@]}"
  judge "${CARGO:-cargo}" run --quiet --locked --manifest-path "$root/Cargo.toml" "${options[@]}" -- "$cases"
}

row() { printf '%-24s | %5s | %6s | %s\n' "$platform" "$@" >>"$scratch/rows"; }

# The machine itself, with the toolchain the project is developed with.
host() { golden "$@"; }

# elsewhere COMMAND…: as if the machine stood where other letters, other decimal marks and another time are the custom.
elsewhere() {
  local -x LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 TZ=Asia/Kathmandu
  "$@"
}

# need PACKAGE…: installs what is missing.
need() {
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$scratch/apt-log" 2>&1; then
    tail -n 5 "$scratch/apt-log" >&2
    die "could not install ${missing[*]}: install them as root"
  fi
}

# From here on cargo is Debian's, since only its compiler comes with libraries for many targets.
debian_compiler() {
  [ "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" = bookworm ] || die "needs Debian 12"
  need rustc-web cargo-web
  export CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc
  version=$("$RUSTC" -vV | sed -n 's/^release: //p')
}

# compiled_library ARCHITECTURE TARGET: unpacks the standard library that Debian 13 compiled with the same
# version of the compiler. A package list of its own keeps the machine's free of other suites and architectures.
compiled_library() {
  local architecture=$1 target=$2 apt=$scratch/apt-$1 mirror options
  sysroot=$cache/library-$version
  [ ! -e "$sysroot/lib/rustlib/$target/complete" ] || return 0
  # shellcheck disable=SC2016 # apt fills in the address, not the shell
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 'Component: main')
  mkdir -p "$apt"/{lists,cache/archives}/partial "$sysroot"
  : >"$apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror%%$'\n'*} trixie main" >"$apt/sources"
  options=(-qq -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture" -o APT::Sandbox::User=root
    -o Dir::Etc::SourceList="$apt/sources" -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o Dir::State::Lists="$apt/lists" -o Dir::State::Status="$apt/status" -o Dir::Cache="$apt/cache" -o Acquire::Languages=none)
  say "fetching the standard library $version for $architecture"
  apt-get "${options[@]}" update &&
    (cd "$apt" && apt-get "${options[@]}" download "libstd-rust-web-dev=$version+*") &&
    dpkg-deb --fsys-tarfile "$apt"/libstd-rust-web-dev_*.deb |
    tar -x -C "$sysroot" --strip-components=2 --wildcards './usr/lib/rustlib/*' &&
    touch "$sysroot/lib/rustlib/$target/complete"
}

# Compiles the standard library with the project, for targets that nobody compiled it for.
library_from_source() {
  need rust-web-src
  export RUSTC_BOOTSTRAP=1
  library=("-Zbuild-std=std,panic_abort")
}

# cross TARGET RUNNER FLAG…: the end of every route but the host's. No C compiler is asked to hash.
cross() {
  local target=$1 runner=$2 variable=${1//-/_}
  shift 2
  [ -z "$runner" ] || export "CARGO_TARGET_${variable^^}_RUNNER=$runner"
  CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "$*")
  export CARGO_ENCODED_RUSTFLAGS
  golden --release --features=kerai-vm/portable-hash --target="$target" --target-dir="$cache/build" ${library[@]+"${library[@]}"}
}

# emulated TARGET ARCHITECTURE GNU-NAME [EMULATOR]: Linux with the GNU library, linked statically so that the
# emulator needs no files. i686 has none: the processor is faithful where its emulator is not.
emulated() {
  local target=$1 architecture=$2 gnu=$3 emulator=${4:-} flags
  flags=(-C "linker=$gnu-gcc" -C target-feature=+crt-static -C relocation-model=static)
  debian_compiler
  need "gcc-${gnu//_/-}" "libc6-dev-$architecture-cross" ${emulator:+qemu-user-static}
  if compiled_library "$architecture" "$target"; then
    flags+=(--sysroot "$sysroot")
  else
    say "no compiled standard library: compiling it"
    library_from_source
  fi
  cross "$target" "$emulator" "${flags[@]}"
}

# Another C library. Debian has no unwinder for it: the program aborts at a panic, and where std asks
# for a backtrace it finds an empty one.
musl() {
  debian_compiler
  need musl-tools gcc binutils
  library_from_source
  library+=(-Zbuild-std-features=)
  mkdir -p "$cache/musl"
  musl-gcc -c -x c - -o "$cache/musl/unwind.o" <<'C'
int _Unwind_Backtrace(void *visit, void *argument) { return 0; }
unsigned long _Unwind_GetIP(void *context) { return 0; }
unsigned long _Unwind_GetIPInfo(void *context, int *before) { return 0; }
unsigned long _Unwind_GetCFA(void *context) { return 0; }
void *_Unwind_FindEnclosingFunction(void *address) { return 0; }
C
  ar rc "$cache/musl/libunwind.a" "$cache/musl/unwind.o"
  cross x86_64-unknown-linux-musl "" -C linker=musl-gcc -C link-self-contained=no -C target-feature=+crt-static \
    -C relocation-model=static -C panic=abort -L "$cache/musl"
}

# Windows as wine sees it, with three things that neither Debian's compiler nor its wine brings:
# the two objects at a program's ends, and the library that seeds std's hash maps (no result may depend on it).
windows() {
  local target=x86_64-pc-windows-gnu end
  debian_compiler
  need gcc-mingw-w64-x86-64-win32 wine64
  library_from_source
  sysroot=$cache/windows-$version
  mkdir -p "$sysroot/lib/rustlib/$target/lib"
  for end in rsbegin rsend; do
    "$RUSTC" --crate-type=lib --emit=obj --target="$target" -o "$sysroot/lib/rustlib/$target/lib/$end.o" \
      "/usr/lib/rustlib/src/rust/library/rtstartup/$end.rs"
  done
  export WINEPREFIX=$cache/wine WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
  if [ ! -e "$WINEPREFIX/system.reg" ]; then
    say "preparing wine"
    timeout 300 /usr/lib/wine/wine64 wineboot -i >/dev/null 2>&1 || die "wine can't be prepared"
  fi
  x86_64-w64-mingw32-gcc -shared -nostdlib -x c - -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" -x none -ladvapi32 <<'C'
unsigned char SystemFunction036(void *bytes, unsigned long length);
__declspec(dllexport) int ProcessPrng(unsigned char *bytes, unsigned long long length) { return SystemFunction036(bytes, length); }
int DllMainCRTStartup(void *module, unsigned long reason, void *reserved) { return 1; }
C
  cross "$target" /usr/lib/wine/wine64 -C linker=x86_64-w64-mingw32-gcc --sysroot "$sysroot"
}

# The linker for WebAssembly: the one beside the compiler that the project is developed with, else Debian's.
webassembly_linker() {
  local toolchain host
  toolchain=$(rustc --print sysroot 2>/dev/null) && host=$(rustc -vV | sed -n 's/^host: //p') || toolchain=
  linker=$toolchain/lib/rustlib/$host/bin/rust-lld
  [ -x "$linker" ] || { need lld && linker=wasm-ld; }
}

need_node() { command -v node >/dev/null || need nodejs; }

# webassembly HOST: the compiler and the machine as a module that imports nothing, in one of the functions below.
webassembly() {
  local target=wasm32-unknown-unknown linker module size
  webassembly_linker
  debian_compiler
  library_from_source
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker
  CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && flags=(-C link-arg=-zstack-size=16777216 -C strip=debuginfo) && echo "${flags[*]}")
  export CARGO_ENCODED_RUSTFLAGS
  build --release --package kerai-golden-wasm --target="$target" --target-dir="$cache/build" "${library[@]}"
  module=$cache/build/$target/release/kerai_golden_wasm.wasm
  size=$(gzip -9 -c "$module" | wc -c)
  say "the module has $size bytes compressed"
  [ "$size" -le "$module_limit" ] || die "the module is larger than $module_limit bytes compressed"
  "$1" "$module"
}

in_node() {
  need_node
  judge node "$root/golden/wasm/in_node.mjs" "$1" "$cases"
}

in_wasmtime() {
  local python=$cache/wasmtime-$wasmtime_version/bin/python
  if ! "$python" -c "import wasmtime" 2>/dev/null; then
    need python3-venv
    say "installing wasmtime $wasmtime_version"
    { python3 -m venv "$cache/wasmtime-$wasmtime_version" && "$python" -m pip install --quiet "wasmtime==$wasmtime_version"; } ||
      die "could not install wasmtime"
  fi
  judge "$python" "$root/golden/wasm/in_wasmtime.py" "$1" "$cases"
}

in_chromium() {
  need_node
  need chromium
  judge node "$root/golden/wasm/in_browser.mjs" "$1" "$cases" chromium
}

# WebAssembly with a system's interface, by node's own.
system_interface() {
  local target=wasm32-wasip1 library_files=/usr/lib/wasm32-wasi linker
  webassembly_linker
  debian_compiler
  need wasi-libc
  need_node
  library_from_source
  export CARGO_TARGET_WASM32_WASIP1_LINKER=$linker
  # Only the program gets the object that begins it; what is compiled on the way does not.
  export CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS="-C link-self-contained=no -L $library_files -C link-arg=$library_files/crt1-command.o -C link-arg=-zstack-size=16777216"
  build --release --package kerai-golden --bin golden-portable --features=kerai-vm/portable-hash --target="$target" \
    --target-dir="$cache/build" "${library[@]}"
  judge node --no-warnings "$root/golden/wasm/in_wasi.mjs" "$cache/build/$target/release/golden-portable.wasm" "$cases"
}

# refused TARGET REASON: a platform that would compute something else, and which the compiler must therefore refuse.
refused() {
  local target=$1 reason=$2
  debian_compiler
  library_from_source
  say "building, which must fail"
  if "$CARGO" build --quiet --locked --manifest-path "$root/Cargo.toml" --release --package kerai-vm --features=kerai-vm/portable-hash \
    --target="$target" --target-dir="$cache/build" "${library[@]}" 2>"$scratch/refusal"; then
    die "it was built: nothing refuses $target"
  fi
  grep -qF "does not build for $reason" "$scratch/refusal" || { tail -n 5 "$scratch/refusal" >&2 && die "it failed for another reason"; }
  row - - "refused, as it must be"
  say "refused"
}

# The project's cases, and below vectors/ a sample of each set with what it comes to here, where its own tests judge it.
gather() {
  local vectors=${KERAI_VECTORS:-$root/../shared/vectors} sample=${KERAI_VECTORS_SAMPLE:-}
  cases=$root/golden
  [ -d "$vectors" ] || { say "there are no vectors at $vectors" && return; }
  cases=$scratch/cases
  cp -r "$root/golden" "$cases"
  if [ -n "$sample" ] && [ -d "$sample" ]; then
    say "taking the sample of the vectors from $sample"
    cp -r "$sample" "$cases/vectors"
    return
  fi
  say "keeping a sample of the vectors"
  KERAI_VECTORS=$(realpath "$vectors") "${CARGO:-cargo}" test --quiet --release --locked --manifest-path "$root/Cargo.toml" \
    --package kerai-tests --test vectors -- --keep "$cases/vectors" >"$scratch/vectors" 2>&1 ||
    { tail -n 20 "$scratch/vectors" >&2 && die "the vectors fail on this machine"; }
}

# run PLATFORM: in a process of its own, so that its settings end with it and its failure stops no other.
run() {
  local status how
  how=$(platforms | awk -v name="$1" '$1 == name { $1 = $2 = ""; print }')
  set +e
  (
    set -e
    platform=$1
    eval "$how"
  )
  status=$?
  set -e
  [ "$status" = 0 ] || failed+=("$1")
  grep -q "^$1 " "$scratch/rows" || platform=$1 row - - "no result"
}

names() { platforms | awk -v runs="$1" '$2 == runs || runs == "all" { print $1 }'; }

main() {
  local name chosen=() failed=() library=() version sysroot cases
  case ${1:-} in
    -h | --help)
      sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
      printf '\nplatforms of every run: %s\non demand: %s\n' "$(names every | xargs)" "$(names on-demand | xargs)"
      return
      ;;
    "") mapfile -t chosen < <(names every) ;;
    all) mapfile -t chosen < <(names all) ;;
    *) chosen=("$@") ;;
  esac
  for name in "${chosen[@]}"; do
    names all | grep -qxF -e "$name" || die "there is no platform \`$name\`: see --help"
  done
  [ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || die "needs Linux on x86-64"

  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  mkdir -p "$cache"
  : >"$scratch/rows"
  gather
  for name in "${chosen[@]}"; do run "$name"; done

  printf '%-24s | %5s | %6s | %s\n' platform cases passed "root of all results"
  cat "$scratch/rows"
  [ ${#failed[@]} = 0 ] || die "failed: ${failed[*]}"
  case $(awk -F' [|] ' '$4 ~ /^blake3:/ { print $4 }' "$scratch/rows" | sort -u | wc -l) in
    0) say "no platform ran the cases" ;;
    1) say "one root on $(grep -c '| blake3:' "$scratch/rows") platforms" ;;
    *) die "the roots differ" ;;
  esac
}

main "$@"
