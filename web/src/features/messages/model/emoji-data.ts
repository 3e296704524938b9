/** All emoji with their names in a language, from emojibase. Chunks of their own; use-emoji.ts loads them. */

import { EmojiIndex, type Emoji } from "./emoji";

interface Entry {
  hexcode: string;
  label: string;
  unicode: string;
  group?: number;
  tags?: string[];
  skins?: { unicode: string }[];
}

const DATA = {
  en: () => import("emojibase-data/en/compact.json"),
  de: () => import("emojibase-data/de/compact.json"),
};

/** Letters of flags and parts of hair, which are no emoji of their own. */
const COMPONENTS = 2;

/** As keyboards write it: what is an emoji by itself has no selector that says so, or a reaction would be two different ones. */
function plain(unicode: string): string {
  return unicode.replace(/^(\p{Emoji_Presentation})\ufe0f$/u, "$1");
}

export async function loadEmoji(language: string): Promise<EmojiIndex> {
  const load = language === "de" ? DATA.de : DATA.en;
  const [{ default: entries }, { default: names }] = await Promise.all([
    load() as Promise<{ default: Entry[] }>,
    import("emojibase-data/en/shortcodes/github.json") as Promise<{ default: Record<string, string | string[]> }>,
  ]);
  return new EmojiIndex(
    entries
      .filter(({ group }) => group !== undefined && group !== COMPONENTS)
      .map(({ hexcode, label, unicode, group = 0, tags = [], skins = [] }): Emoji => ({
        unicode: plain(unicode),
        label,
        shortcodes: [names[hexcode] ?? []].flat(),
        tags,
        group,
        skins: skins.map((skin) => skin.unicode).slice(0, 5),
      })),
  );
}
