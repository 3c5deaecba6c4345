// Runs the program of the golden cases by node's system interface. usage: node in_wasi.mjs PROGRAM.wasm GOLDEN_DIR
import fs from "node:fs";
import { WASI } from "node:wasi";

const [program, folder] = process.argv.slice(2);
if (!program || !folder) {
  console.error("usage: node in_wasi.mjs PROGRAM.wasm GOLDEN_DIR");
  process.exit(2);
}
const inside = "/golden";
const wasi = new WASI({
  version: "preview1",
  args: ["golden-portable", inside],
  env: { KERAI_MAP_SEED: process.env.KERAI_MAP_SEED ?? "1" },
  preopens: { [inside]: folder },
  returnOnExit: true,
});
const module = await WebAssembly.compile(fs.readFileSync(program));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
