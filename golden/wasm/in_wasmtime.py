"""Runs golden cases in wasmtime. usage: python3 in_wasmtime.py MODULE.wasm GOLDEN_DIR"""

import os
import sys
from pathlib import Path

import wasmtime


def main(module, folder):
    config = wasmtime.Config()
    # The deepest cases want more than the half of this that is the engine's default.
    config.max_wasm_stack = 1 << 20
    engine = wasmtime.Engine(config)
    store = wasmtime.Store(engine)
    exports = wasmtime.Instance(store, wasmtime.Module.from_file(engine, module), []).exports(store)
    memory = exports["memory"]

    def output():
        start = exports["kerai_output"](store) & 0xFFFFFFFF
        return memory.read(store, start, start + exports["kerai_output_length"](store)).decode()

    files = {file.relative_to(folder).as_posix()[:-4].encode(): file for file in Path(folder).rglob("*.txt")}
    exports["kerai_seed"](store, int(os.environ.get("KERAI_MAP_SEED", "1")))
    for name, file in sorted(files.items()):
        source = name + file.read_bytes()
        start = exports["kerai_input"](store, len(source)) & 0xFFFFFFFF
        memory.write(store, source, start)
        if exports["kerai_case"](store, len(name)) != 1:
            print(f"failed: {name.decode()}\n{output()}")
    good = exports["kerai_summary"](store) == 1
    print(output())
    return 0 if good else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python3 in_wasmtime.py MODULE.wasm GOLDEN_DIR")
    sys.exit(main(*sys.argv[1:]))
