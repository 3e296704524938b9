import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** WCAG 2.2: text 4.5:1 (1.4.3), what one must see of a control 3:1 (1.4.11). */
const TEXT: [string, string][] = [
  ["foreground", "background"],
  ["muted-foreground", "background"],
  ["muted-foreground", "muted"],
  ["muted-foreground", "accent"],
  ["muted-foreground", "popover"],
  ["muted-foreground", "card"],
  ["popover-foreground", "popover"],
  ["accent-foreground", "accent"],
  ["primary-foreground", "primary"],
  ["primary-foreground", "primary-hover"],
  ["secondary-foreground", "secondary"],
  ["selected-foreground", "selected"],
  ["destructive-foreground", "destructive"],
  ["destructive-text", "background"],
  ["destructive-text", "popover"],
  ["success-text", "background"],
  ["warning-text", "background"],
  ["warning-text", "warning-ground"],
  ["mention-foreground", "mention"],
  ["foreground", "mention"],
  ["link", "background"],
  ["link", "mention"],
  ["sidebar-foreground", "sidebar"],
  ["sidebar-muted", "sidebar"],
  ["sidebar-muted", "sidebar-accent"],
  ["sidebar-accent-foreground", "sidebar-accent"],
];

const CONTROLS: [string, string][] = [
  ["input", "background"],
  ["input", "card"],
  ["ring", "background"],
  ["ring", "sidebar"],
  ["success", "background"],
  ["warning", "background"],
  ["success", "sidebar"],
];

type Palette = Map<string, number>;

/** Relative luminance of `oklch(L C H)` (CSS Color 4, section 10.9.2, clipped to sRGB). */
function luminance(lightness: number, chroma: number, hue: number): number {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clip = (value: number) => Math.min(1, Math.max(0, value));
  const red = clip(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = clip(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = clip(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function palette(css: string, selector: string): Palette {
  const block = css.slice(css.indexOf(`${selector} {`)).split("}")[0] ?? "";
  const colours = block.matchAll(/--([a-z-]+): oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)/g);
  return new Map([...colours].map(([, name, l, c, h]) => [name!, luminance(Number(l), Number(c), Number(h))]));
}

function contrast(colours: Palette, one: string, other: string): number {
  const values = [colours.get(one), colours.get(other)];
  const [low, high] = values.map((value) => value ?? Number.NaN).sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

const css = readFileSync("src/styles/globals.css", "utf8");

describe.each([":root", ".dark"])("%s", (selector) => {
  const colours = palette(css, selector);

  it.each(TEXT)("%s is readable on %s", (text, ground) => {
    expect(contrast(colours, text, ground)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(CONTROLS)("%s shows on %s", (control, ground) => {
    expect(contrast(colours, control, ground)).toBeGreaterThanOrEqual(3);
  });
});

it("sees what is too faint", () => {
  const faint = palette(":root {\n --a: oklch(0.7 0 0);\n --b: oklch(1 0 0);\n}", ":root");
  expect(contrast(faint, "a", "b")).toBeLessThan(4.5);
});
