import { useTranslation } from "react-i18next";
import { useSession } from "@/realtime";
import { completionAt, matchingPeople, type Completion } from "../model/composing";
import { inTone, skinTone } from "../model/emoji";
import { useEmoji } from "./use-emoji";
import { useMentionable } from "./use-mentionable";

export interface Suggestion {
  key: string;
  /** What is put into the text. */
  word: string;
  label: string;
  detail: string;
  /** Whose face stands before it. */
  userId?: string;
}

export interface Suggestions {
  completion: Completion;
  list: readonly Suggestion[];
}

const LIMIT = 8;

/** What the word before the caret may become: a member's name, or an emoji. */
export function useSuggestions(roomId: string, text: string, caret: number | undefined): Suggestions | undefined {
  const { t } = useTranslation("messages");
  const me = useSession()?.user.id;
  const completion = caret === undefined ? undefined : completionAt(text, caret);
  const people = useMentionable(roomId, completion?.kind === "mention");
  const emoji = useEmoji({ wanted: completion?.kind === "emoji" });
  if (completion === undefined) return undefined;

  const list: Suggestion[] = [];
  if (completion.kind === "mention") {
    const candidates = people
      .filter(({ id }) => id !== me)
      .map(({ id, username, display_name }) => ({ id, username, name: display_name }));
    for (const { id, username, name } of matchingPeople(candidates, completion.query, LIMIT))
      list.push({ key: id, word: `@${username}`, label: name, detail: `@${username}`, userId: id });
    if (people.length > 2 && "room".startsWith(completion.query.toLowerCase()))
      list.push({ key: "room", word: "@room", label: "@room", detail: t("composer.everybody") });
  } else {
    for (const found of emoji?.search(completion.query, LIMIT) ?? []) {
      const unicode = inTone(found, skinTone());
      list.push({
        key: found.unicode,
        word: unicode,
        label: `${unicode}  :${found.shortcodes[0] ?? ""}:`,
        detail: found.label,
      });
    }
  }
  return list.length === 0 ? undefined : { completion, list };
}
