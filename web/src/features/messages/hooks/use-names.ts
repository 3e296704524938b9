import { localeTag, useLanguage, useTexts } from "@/lib/i18n";
import { isolated } from "../model/inline";
import { useProfiles, useSession } from "@/realtime";

/** The names of people in one phrase: "Ann, Bob and 3 others". Oneself comes first, as "You". */
export function useNames(userIds: readonly string[], limit = 10): string {
  const t = useTexts("messages");
  const language = useLanguage();
  const me = useSession()?.user.id;
  const ordered = me !== undefined && userIds.includes(me) ? [me, ...userIds.filter((id) => id !== me)] : userIds;
  const named = ordered.slice(0, limit);
  const profiles = useProfiles(named);
  const names = named.map((id) => (id === me ? t("you") : isolated(profiles.get(id)?.display_name ?? t("somebody"))));
  const others = ordered.length - named.length;
  if (others > 0) names.push(t("others", { count: others }));
  if (names.length < 2) return names[0] ?? "";
  return listFormat(localeTag(language)).format(names);
}

const formats = new Map<string, Intl.ListFormat>();

/** Costly to make, and there is one name list to each reaction. */
function listFormat(locale: string): Intl.ListFormat {
  let format = formats.get(locale);
  if (format === undefined) {
    format = new Intl.ListFormat(locale, { type: "conjunction" });
    formats.set(locale, format);
  }
  return format;
}
