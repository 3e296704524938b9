/** Finding emoji: by name, by what somebody types, and those used lately. Pure but for what the device remembers. */

export interface Emoji {
  unicode: string;
  /** In the language of the client. */
  label: string;
  shortcodes: readonly string[];
  tags: readonly string[];
  /** A number of emojibase: 0 smileys, 1 people, 3 animals, 4 food, 5 travel, 6 activities, 7 objects, 8 symbols, 9 flags. */
  group: number;
  /** In the five skin tones, lightest first. */
  skins: readonly string[];
}

export const GROUPS = [0, 1, 3, 4, 5, 6, 7, 8, 9] as const;

export class EmojiIndex {
  readonly all: readonly Emoji[];
  readonly #byShortcode = new Map<string, Emoji>();
  readonly #byUnicode = new Map<string, Emoji>();

  constructor(all: readonly Emoji[]) {
    this.all = all;
    for (const emoji of all) {
      for (const name of emoji.shortcodes) this.#byShortcode.set(name, emoji);
      this.#byUnicode.set(emoji.unicode, emoji);
      for (const skin of emoji.skins) this.#byUnicode.set(skin, emoji);
    }
  }

  byShortcode(name: string): Emoji | undefined {
    return this.#byShortcode.get(name);
  }

  /** Also of an emoji in a skin tone. */
  byUnicode(unicode: string): Emoji | undefined {
    return this.#byUnicode.get(unicode);
  }

  /** The best first: a name that is the query, begins with it, has a word that does, and so for labels and tags. */
  search(query: string, limit: number): Emoji[] {
    const wanted = query.trim().toLowerCase().replace(/^:|:$/g, "");
    if (wanted === "") return [];
    const found: { emoji: Emoji; rank: number }[] = [];
    for (const emoji of this.all) {
      const rank = rankOf(emoji, wanted);
      if (rank < NO_MATCH) found.push({ emoji, rank });
    }
    found.sort((a, b) => a.rank - b.rank);
    return found.slice(0, limit).map(({ emoji }) => emoji);
  }
}

const NO_MATCH = 9;

function rankOf({ shortcodes, label, tags }: Emoji, wanted: string): number {
  const name = label.toLowerCase();
  if (shortcodes.includes(wanted) || name === wanted) return 0;
  if (shortcodes.some((each) => each.startsWith(wanted))) return 1;
  if (name.startsWith(wanted)) return 2;
  if (shortcodes.some((each) => each.includes(`_${wanted}`)) || name.includes(` ${wanted}`)) return 3;
  if (tags.some((tag) => tag.startsWith(wanted))) return 4;
  if (shortcodes.some((each) => each.includes(wanted))) return 5;
  return NO_MATCH;
}

/** In a skin tone, 0 for none, where the emoji comes in tones. */
export function inTone({ unicode, skins }: Emoji, tone: number): string {
  return skins[tone - 1] ?? unicode;
}

export const MAX_RECENT = 24;
/** Before anybody has used one. */
const USUAL = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"];
const RECENT_KEY = "parlour.emoji.recent";
const TONE_KEY = "parlour.emoji.tone";

export function recentEmoji(): string[] {
  const kept = read(RECENT_KEY).split(" ").filter(Boolean);
  return [...new Set([...kept, ...USUAL])].slice(0, MAX_RECENT);
}

export function rememberEmoji(emoji: string): void {
  write(RECENT_KEY, [...new Set([emoji, ...read(RECENT_KEY).split(" ")])].slice(0, MAX_RECENT).join(" ").trim());
}

export function skinTone(): number {
  const tone = Number(read(TONE_KEY));
  return Number.isInteger(tone) && tone >= 0 && tone <= 5 ? tone : 0;
}

export function setSkinTone(tone: number): void {
  write(TONE_KEY, String(tone));
}

function read(key: string): string {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return ""; // storage is switched off
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Full or switched off: then it is not remembered.
  }
}
