import { expect, it } from "vitest";
import de from "./de";
import en from "./en";

function texts(tree: object, path = ""): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]: [string, unknown]) =>
      typeof value === "object" && value !== null ? [...texts(value, `${path}${key}.`)] : [[path + key, String(value)]],
    ),
  );
}

const placeholders = (text = "") => (text.match(/{{\w+}}|<\/?\d+>/g) ?? []).sort();

/** TypeScript holds that other languages have all keys of English; this, that they have no more and the same placeholders. */
it("has the same texts with the same placeholders in every language", () => {
  const english = texts(en);
  const german = texts(de);
  expect([...german.keys()].sort()).toEqual([...english.keys()].sort());
  for (const [key, text] of english) expect([key, placeholders(german.get(key))]).toEqual([key, placeholders(text)]);
});

it("leaves no text empty", () => {
  for (const tree of [en, de]) expect([...texts(tree)].filter(([, text]) => text.trim() === "")).toEqual([]);
});
