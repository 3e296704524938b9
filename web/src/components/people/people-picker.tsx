import { X } from "lucide-react";
import { useId, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { useErrorText } from "@/lib/error-text";
import { cn } from "@/lib/cn";
import { fieldClasses } from "@/components/ui/field-classes";
import { Label } from "@/components/ui/label";
import type { Profile } from "@/realtime";
import { usePeople } from "./use-people";
import { PersonOption } from "./person-option";

export interface PeoplePickerProps {
  label: string;
  /** Chosen already; shown above the list. Leave out where choosing one is all. */
  picked?: readonly Profile[];
  onPick: (person: Profile) => void;
  onDrop?: (person: Profile) => void;
  /** Who is not offered. */
  hidden?: (person: Profile) => boolean;
  /** Where the list stands among other fields: it opens only for who types. */
  closed?: boolean;
  /** The person for whom something is under way. */
  busyId?: string | undefined;
}

/** Choosing people from the directory by typing; a combobox whose list the arrow keys move through. */
export function PeoplePicker(props: PeoplePickerProps) {
  const { label, picked = [], onPick, onDrop, hidden = () => false, closed = false, busyId } = props;
  const { t } = useTranslation();
  const errorText = useErrorText();
  const id = useId();
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const open = !closed || text.trim() !== "";
  const { people, loading, error, retry, more } = usePeople(text, open);
  const offered = people.filter((person) => !hidden(person) && !person.disabled);
  const current = Math.min(active, offered.length - 1);
  const isPicked = (person: Profile) => picked.some((one) => one.id === person.id);

  const choose = (person: Profile | undefined) => {
    if (person === undefined) return;
    if (isPicked(person)) onDrop?.(person);
    else onPick(person);
    setText("");
    setActive(0);
  };
  const press = (event: KeyboardEvent) => {
    const last = picked.at(-1);
    if (event.key === "ArrowDown") setActive(Math.min(current + 1, offered.length - 1));
    else if (event.key === "ArrowUp") setActive(Math.max(current - 1, 0));
    else if (event.key === "Enter" && open && offered.length > 0) choose(offered[current]);
    else if (event.key === "Backspace" && text === "" && last !== undefined) onDrop?.(last);
    else return;
    event.preventDefault();
  };

  return (
    <div className="flex flex-col gap-1.5">
      <Label htmlFor={id}>{label}</Label>
      <div
        className={cn(fieldClasses, "flex flex-wrap items-center gap-1 px-1.5 py-1 has-[:focus-visible]:border-ring")}
      >
        {picked.map((person) => (
          <span key={person.id} className="flex h-6.5 max-w-full items-center gap-1 rounded-sm bg-accent ps-2">
            <span className="truncate text-sm">{person.display_name}</span>
            <button
              type="button"
              aria-label={t("people.drop", { name: person.display_name })}
              className="inline-flex size-6 shrink-0 items-center justify-center rounded-sm text-muted-foreground hover:text-foreground"
              onClick={() => onDrop?.(person)}
            >
              <X aria-hidden className="size-3.5" />
            </button>
          </span>
        ))}
        <input
          id={id}
          role="combobox"
          aria-expanded={open}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={open && offered.length > 0 ? `${id}-${current}` : undefined}
          autoComplete="off"
          spellCheck={false}
          placeholder={picked.length === 0 ? t("people.placeholder") : undefined}
          className="h-7 min-w-24 flex-1 bg-transparent px-1.5 outline-none touch:h-9"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setActive(0);
          }}
          onKeyDown={press}
        />
      </div>
      {open && (
        <div className={cn("overflow-y-auto", closed ? "max-h-48" : "h-72")}>
          <div id={`${id}-list`} role="listbox" aria-label={label} aria-multiselectable={onDrop !== undefined}>
            {offered.map((person, index) => (
              <PersonOption
                key={person.id}
                id={`${id}-${index}`}
                person={person}
                active={index === current}
                picked={isPicked(person)}
                busy={person.id === busyId}
                onChoose={() => choose(person)}
                onPoint={() => setActive(index)}
              />
            ))}
          </div>
          {loading && <p className="flex h-10 items-center px-2 text-muted-foreground">{t("people.loading")}</p>}
          {error !== null && (
            <p role="alert" className="flex items-center gap-2 px-2 py-2 text-destructive-text">
              <span className="flex-1">{errorText(error)}</span>
              <Button size="sm" onClick={retry}>
                {t("retry")}
              </Button>
            </p>
          )}
          {!loading && error === null && offered.length === 0 && (
            <p className="px-2 py-6 text-center text-muted-foreground">
              {text.trim() === "" ? t("people.nobody") : t("people.none", { text: text.trim() })}
            </p>
          )}
          {more !== undefined && (
            <Button variant="ghost" size="sm" className="w-full" onClick={more}>
              {t("people.more")}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
