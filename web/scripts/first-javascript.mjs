// How large the first JavaScript is: the entry and all that it imports before anything is drawn (gzip, 1 KB = 1,000 bytes).
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);

/** @returns {Promise<{ kilobytes: number, files: number }>} */
export async function firstJavaScript() {
  const html = await readFile(new URL("index.html", dist), "utf8");
  const scripts = [...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map(([, path]) => path);
  const sizes = await Promise.all(scripts.map(async (path) => gzipSync(await readFile(new URL(path, dist))).length));
  return { kilobytes: sizes.reduce((sum, size) => sum + size, 0) / 1_000, files: scripts.length };
}
