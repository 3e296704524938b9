// What the built client takes of the network (gzip, 1 KB = 1,000 bytes).
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);

/** The page itself, which has scripts of its own, the entry, and all that it imports before anything is drawn. */
export async function firstJavaScript() {
  const html = await readFile(new URL("index.html", dist), "utf8");
  return sizeOf(["index.html", ...[...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map(([, path]) => path)]);
}

/** What the service worker fetches on every device. */
export async function installed() {
  const worker = await readFile(new URL("service-worker.js", dist), "utf8");
  return sizeOf([...worker.matchAll(/[{,]"?url"?:[`"]([^`"]+)[`"]/g)].map(([, path]) => path));
}

/** @returns {Promise<{ kilobytes: number, files: number }>} */
async function sizeOf(paths) {
  const sizes = await Promise.all(paths.map(async (path) => gzipSync(await readFile(new URL(path, dist))).length));
  return { kilobytes: sizes.reduce((sum, size) => sum + size, 0) / 1_000, files: paths.length };
}
