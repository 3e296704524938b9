import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { useRoomName } from "@/lib/room-name";
import { useRooms } from "@/realtime";
import { clean, filterCount, HAS, type Filters, type Has } from "../model/filters";
import { DayFilter } from "./day-filter";
import { PersonFilter } from "./person-filter";
import { SelectFilter } from "./select-filter";

export interface FilterBarProps {
  filters: Filters;
  withRoom: boolean;
  onFilters: (filters: Filters) => void;
}

/** What narrows a search: room, author, days, what the messages have. */
export function FilterBar({ filters, withRoom, onFilters }: FilterBarProps) {
  const { t } = useTranslation("search");
  const set = (name: Exclude<keyof Filters, "q">, value: string) => {
    onFilters(clean({ ...filters, [name]: value }));
  };
  return (
    <div className="flex items-center gap-1.5 max-md:-mx-4 max-md:overflow-x-auto max-md:px-4 max-md:py-0.5 md:flex-wrap max-md:[&>*]:shrink-0">
      {withRoom && <RoomFilter value={filters.room ?? ""} onChange={(room) => set("room", room)} />}
      <PersonFilter value={filters.from ?? ""} onChange={(from) => set("from", from)} />
      <SelectFilter
        label={t("filters.has")}
        value={filters.has ?? ""}
        onChange={(has) => set("has", has)}
        options={[
          { value: "", label: t("filters.hasAny") },
          ...HAS.map((value: Has) => ({ value, label: t(`filters.${value}`) })),
        ]}
      />
      <DayFilter label={t("filters.after")} value={filters.after ?? ""} onChange={(day) => set("after", day)} />
      <DayFilter label={t("filters.before")} value={filters.before ?? ""} onChange={(day) => set("before", day)} />
      {filterCount(filters) > 0 && (
        <Button variant="ghost" size="sm" onClick={() => onFilters({ q: filters.q })}>
          <X aria-hidden />
          {t("filters.clear")}
        </Button>
      )}
    </div>
  );
}

function RoomFilter({ value, onChange }: { value: string; onChange: (room: string) => void }) {
  const { t } = useTranslation("search");
  const rooms = useRooms();
  const nameOf = useRoomName();
  const options = rooms
    .map((room) => ({ value: room.id, label: room.kind === "direct" ? nameOf(room) : `#${nameOf(room)}` }))
    .sort((a, b) => a.label.localeCompare(b.label));
  return (
    <SelectFilter
      label={t("filters.room")}
      value={value}
      onChange={onChange}
      options={[{ value: "", label: t("filters.roomAny") }, ...options]}
    />
  );
}
