/** What the fake cameras see: somebody drawn in a room, as one picture of Y4M that Chromium repeats. */
import { writeFile } from "node:fs/promises";
import { Resvg } from "@resvg/resvg-js";

const WIDTH = 960;
const HEIGHT = 540;

const FACES = {
  mara: { wall: "#d9d3c7", light: "#f3efe6", skin: "#e9bfa0", hair: "#8a4b2a", top: "#2f4858", bun: true },
  priya: { wall: "#4a5a6e", light: "#7f93a8", skin: "#a9714b", hair: "#1f1a1d", top: "#c9803a", bun: false },
};

function drawing({ wall, light, skin, hair, top, bun }) {
  const long = `<path d="M372 250 q-14 190 -34 250 h284 q-20 -60 -34 -250z" fill="${hair}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}">
    <defs>
      <linearGradient id="wall" x1="0" x2="1"><stop stop-color="${light}"/><stop offset="1" stop-color="${wall}"/></linearGradient>
      <radialGradient id="glow" cx=".15" cy=".2" r=".9"><stop stop-color="#fff" stop-opacity=".45"/><stop offset="1" stop-color="#000" stop-opacity=".25"/></radialGradient>
    </defs>
    <rect width="960" height="540" fill="url(#wall)"/>
    <rect x="60" y="40" width="190" height="250" rx="6" fill="#fff" opacity=".75"/>
    <path d="M155 40v250M60 165h190" stroke="${wall}" stroke-width="8"/>
    <rect x="690" y="150" width="230" height="12" rx="3" fill="#000" opacity=".25"/>
    <g opacity=".75"><rect x="706" y="86" width="22" height="64" fill="#b0563f"/><rect x="732" y="76" width="18" height="74" fill="#dcb45a"/>
      <rect x="754" y="92" width="26" height="58" fill="#4d7c8a"/><rect x="784" y="82" width="16" height="68" fill="#efe6d8"/></g>
    <path d="M850 150q-4 -46 -34 -60M852 150q2 -60 34 -78M851 150q0 -40 2 -84" stroke="#56824f" stroke-width="9" fill="none" stroke-linecap="round"/>
    <rect x="834" y="128" width="36" height="24" rx="4" fill="#c8694b"/>
    ${bun ? `<circle cx="480" cy="106" r="46" fill="${hair}"/>` : long}
    <path d="M250 540q10 -120 150 -142h160q140 22 150 142z" fill="${top}"/>
    <path d="M432 340h96v66q-48 46 -96 0z" fill="${skin}"/>
    <path d="M432 366q48 40 96 0v-20h-96z" fill="#000" opacity=".12"/>
    <ellipse cx="480" cy="262" rx="96" ry="118" fill="${skin}"/>
    <path d="M380 262q-12 -140 100 -142 112 2 100 142 -16 -76 -60 -92 -60 26 -110 16 -24 20 -30 76z" fill="${hair}"/>
    <path d="M424 242q18 -10 34 0M502 242q18 -10 34 0" stroke="${hair}" stroke-width="6" fill="none" stroke-linecap="round"/>
    <circle cx="442" cy="266" r="7" fill="#2b2320"/><circle cx="518" cy="266" r="7" fill="#2b2320"/>
    <path d="M480 270l-7 36h14" stroke="#000" stroke-opacity=".18" stroke-width="4" fill="none" stroke-linejoin="round"/>
    <path d="M444 326q36 30 72 0q-36 12 -72 0z" fill="#a6453f"/>
    <rect width="960" height="540" fill="url(#glow)"/>
  </svg>`;
}

/** BT.601, every second chroma sample in both directions. */
function toYuv(pixels) {
  const size = WIDTH * HEIGHT;
  const planes = Buffer.alloc(size * 1.5);
  for (let index = 0, chroma = size; index < size; index += 1) {
    const [r, g, b] = pixels.subarray(index * 4, index * 4 + 3);
    planes[index] = 16 + 0.257 * r + 0.504 * g + 0.098 * b;
    if (index % 2 === 1 || Math.floor(index / WIDTH) % 2 === 1) continue;
    planes[chroma] = 128 - 0.148 * r - 0.291 * g + 0.439 * b;
    planes[chroma + size / 4] = 128 + 0.439 * r - 0.368 * g - 0.071 * b;
    chroma += 1;
  }
  return planes;
}

export async function writeCamera(who, path) {
  const { pixels } = new Resvg(drawing(FACES[who]), { fitTo: { mode: "width", value: WIDTH } }).render();
  const head = `YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420mpeg2\n`;
  await writeFile(path, Buffer.concat([Buffer.from(`${head}FRAME\n`), toYuv(pixels)]));
}
