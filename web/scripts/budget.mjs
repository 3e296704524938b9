// Fails when the first JavaScript, the entry and all that it imports before anything is drawn, outgrows its budget (gzip, 1 KB = 1,000 bytes).
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 180;

const dist = new URL("../dist/", import.meta.url);
const html = await readFile(new URL("index.html", dist), "utf8");
const scripts = [...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map(([, path]) => path);
const sizes = await Promise.all(scripts.map(async (path) => gzipSync(await readFile(new URL(path, dist))).length));
const total = sizes.reduce((sum, size) => sum + size, 0) / 1_000;
process.stdout.write(
  `first JavaScript: ${total.toFixed(1)} KB gzip in ${scripts.length} files, budget ${BUDGET_KB} KB\n`,
);
if (total > BUDGET_KB) process.exit(1);
