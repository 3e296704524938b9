import { useTranslation } from "react-i18next";
import { Avatar } from "@/components/ui/avatar";
import { tooltip } from "@/components/ui/tooltip";
import { useProfiles } from "@/realtime";
import { useNames } from "../hooks/use-names";

const SHOWN = 3;

/** Who has read up to a message: small faces at its end. */
export function Readers({ userIds }: { userIds: string }) {
  const { t } = useTranslation("messages");
  const ids = userIds.split(" ");
  const names = useNames(ids);
  const shown = ids.slice(0, SHOWN);
  const profiles = useProfiles(shown);
  const label = t("readers.seenBy", { names });
  return (
    <span
      {...tooltip(label)}
      role="img"
      aria-label={label}
      className="flex shrink-0 items-center gap-0.5 self-end pb-1"
    >
      {shown.map((id) => (
        <Avatar key={id} id={id} name={profiles.get(id)?.display_name ?? ""} size="xs" className="scale-80" />
      ))}
      {ids.length > SHOWN && <span className="text-[0.625rem] text-muted-foreground">+{ids.length - SHOWN}</span>}
    </span>
  );
}
