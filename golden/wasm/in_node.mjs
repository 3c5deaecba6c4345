// Runs golden cases in node. usage: node in_node.mjs MODULE.wasm GOLDEN_DIR
import fs from "node:fs";
import { cases } from "./cases.mjs";
import { runner } from "./runner.mjs";

const [module, folder] = process.argv.slice(2);
if (!module || !folder) {
  console.error("usage: node in_node.mjs MODULE.wasm GOLDEN_DIR");
  process.exit(2);
}

const { instance } = await WebAssembly.instantiate(fs.readFileSync(module), {});
const golden = runner(instance);
golden.seed(process.env.KERAI_MAP_SEED ?? 1);
for (const { name, text } of cases(folder)) {
  const failure = golden.judge(name, text);
  if (failure !== undefined) console.log(`failed: ${name}\n${failure}`);
}
const { good, line } = golden.summary();
console.log(line);
process.exit(good ? 0 : 1);
