import { Check } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Spinner } from "@/components/ui/spinner";
import { cn } from "@/lib/cn";
import { useSession, type Profile } from "@/realtime";
import { PersonIcon } from "./person-icon";

export interface PersonOptionProps {
  id: string;
  person: Profile;
  active: boolean;
  picked: boolean;
  busy: boolean;
  onChoose: () => void;
  onPoint: () => void;
}

/** A person in a list that a combobox moves through: the focus and the keyboard are the field's. */
export function PersonOption({ id, person, active, picked, busy, onChoose, onPoint }: PersonOptionProps) {
  const { t } = useTranslation();
  const self = useSession()?.user.id === person.id;
  return (
    // eslint-disable-next-line jsx-a11y-x/click-events-have-key-events -- the combobox has the keys
    <div
      id={id}
      role="option"
      aria-selected={picked}
      ref={(element) => {
        if (active) element?.scrollIntoView({ block: "nearest" });
      }}
      className={cn(
        "flex min-h-10 cursor-default items-center gap-2.5 rounded-sm px-2 py-0.5 touch:min-h-12",
        active && "bg-accent text-accent-foreground",
      )}
      onPointerDown={(event) => event.preventDefault()}
      onPointerMove={onPoint}
      onClick={onChoose}
      tabIndex={-1}
    >
      <PersonIcon person={person} size="sm" />
      <span className="flex min-w-0 flex-1 flex-wrap gap-x-2">
        <span dir="auto" className="truncate font-medium">
          {person.display_name}
        </span>
        {self && <span className="shrink-0 text-muted-foreground">{t("people.you")}</span>}
        <span className="truncate text-muted-foreground">@{person.username}</span>
      </span>
      {busy ? <Spinner /> : picked && <Check aria-hidden className="size-4 shrink-0 text-primary" />}
    </div>
  );
}
