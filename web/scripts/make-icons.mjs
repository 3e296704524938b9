// Renders public/icon.svg into the sizes that browsers and phones ask for: `npm run icons`, when the drawing changed.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { Resvg } from "@resvg/resvg-js";

const FOLDER = new URL("../public/icons/", import.meta.url);
const drawing = await readFile(new URL("../public/icon.svg", import.meta.url), "utf8");

/** Phones cut what shape they like; all that matters stays within the middle 80 % (W3C manifest, maskable icons). */
const maskable = drawing
  .replace(/ rx="8"/, "")
  .replace(/(<rect[^>]*\/>)/, '$1<g transform="translate(16 16) scale(.72) translate(-16 -16)">')
  .replace("</svg>", "</g></svg>");

const icons = [
  ["favicon-32.png", drawing, 32],
  ["icon-192.png", drawing, 192],
  ["icon-512.png", drawing, 512],
  ["maskable-192.png", maskable, 192],
  ["maskable-512.png", maskable, 512],
  ["apple-touch-icon.png", maskable, 180],
];

await mkdir(FOLDER, { recursive: true });
for (const [name, svg, width] of icons) {
  const image = new Resvg(svg, { fitTo: { mode: "width", value: width } }).render();
  await writeFile(new URL(name, FOLDER), image.asPng());
}
