// Finds the cases below a folder: names and texts as bytes, in the order of the names' bytes, as every runner has them.
import fs from "node:fs";
import path from "node:path";

const EXTENSION = ".txt";

export function cases(folder) {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(EXTENSION))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .map((file) => ({
      name: Buffer.from(path.relative(folder, file).slice(0, -EXTENSION.length)),
      text: fs.readFileSync(file),
    }))
    .sort((a, b) => Buffer.compare(a.name, b.name));
}
