// Runs golden cases in a headless browser: serves a page that runs them and reports back.
// usage: node in_browser.mjs MODULE.wasm GOLDEN_DIR BROWSER
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cases } from "./cases.mjs";

const [module, folder, browser] = process.argv.slice(2);
if (!module || !folder || !browser) {
  console.error("usage: node in_browser.mjs MODULE.wasm GOLDEN_DIR BROWSER");
  process.exit(2);
}
const seed = process.env.KERAI_MAP_SEED ?? 1;
const TIME_LIMIT_MS = 300_000;

const page = `<!doctype html><meta charset="utf-8"><title>golden cases</title><script type="module">
import { runner } from "./runner.mjs";
const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const report = { failures: [] };
try {
  const { instance } = await WebAssembly.instantiate(await (await fetch("module.wasm")).arrayBuffer(), {});
  const golden = runner(instance);
  golden.seed(${JSON.stringify(String(seed))});
  for (const { name, text } of await (await fetch("cases.json")).json()) {
    const failure = golden.judge(bytes(name), bytes(text));
    if (failure !== undefined) report.failures.push("failed: " + atob(name) + "\\n" + failure);
  }
  Object.assign(report, golden.summary());
} catch (fault) {
  report.line = "fault: " + fault;
}
await fetch("report", { method: "POST", body: JSON.stringify(report) });
</script>`;

const here = path.dirname(fileURLToPath(import.meta.url));
const answers = {
  "/": ["text/html", () => page],
  "/runner.mjs": ["text/javascript", () => fs.readFileSync(path.join(here, "runner.mjs"))],
  "/module.wasm": ["application/wasm", () => fs.readFileSync(module)],
  "/cases.json": [
    "application/json",
    () => JSON.stringify(cases(folder).map(({ name, text }) => ({ name: name.toString("base64"), text: text.toString("base64") }))),
  ],
};

const profile = fs.mkdtempSync(path.join(os.tmpdir(), "kerai-browser-"));
let running;
let outcome;

// Says how it went, once, and ends when the browser has: it writes to its folder up to the last moment.
function end(status, line) {
  if (outcome !== undefined) return;
  outcome = status;
  console.log(line);
  if (!running?.kill("SIGKILL")) leave();
}

function leave() {
  fs.rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  process.exit(outcome);
}

const server = http.createServer((request, response) => {
  if (request.url === "/report") {
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => {
      response.end();
      const { failures, good, line } = JSON.parse(body);
      failures.forEach((failure) => console.log(failure));
      end(good ? 0 : 1, line);
    });
    return;
  }
  const [kind, content] = answers[request.url] ?? [];
  response.writeHead(kind ? 200 : 404, { "content-type": kind ?? "text/plain" });
  response.end(kind ? content() : "");
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const options = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`];
  running = spawn(browser, [...options, `http://127.0.0.1:${port}/`], { stdio: "ignore" });
  running.on("error", (fault) => end(2, `the browser can't be started: ${fault.message}`));
  running.on("exit", (status) => {
    end(2, `the browser ended with ${status} before it reported`);
    leave();
  });
});
setTimeout(() => end(2, "the browser did not report in time"), TIME_LIMIT_MS);
