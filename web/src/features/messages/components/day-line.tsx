import { ChevronDown } from "lucide-react";
import { memo, useState } from "react";
import { Button } from "@/components/ui/button";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { useTexts } from "@/lib/i18n";
import { toast } from "@/lib/toast";
import { useErrorText } from "@/lib/error-text";
import { useTimes } from "@/lib/time";
import { useRoom } from "@/realtime";
import { findSeqAt } from "../api/find-seq-at";
import { useOpenRoom } from "../model/room-ui";

/** The line where a day begins; opens the way to another one. */
export const DayLine = memo(function DayLine({ at }: { at: number }) {
  const times = useTimes();
  const [open, setOpen] = useState(false);
  return (
    <div className="flex items-center gap-3 px-4 pt-3 pb-1 md:px-5">
      <span className="h-px flex-1 bg-border" />
      <Popover open={open} onOpenChange={setOpen}>
        <PopoverTrigger className="flex h-6 items-center gap-1 rounded-full px-2 text-xs font-medium text-muted-foreground hover:bg-accent hover:text-accent-foreground data-[state=open]:bg-accent touch:h-9">
          {times.day(at)}
          <ChevronDown aria-hidden className="size-3" />
        </PopoverTrigger>
        <PopoverContent className="w-60 p-1.5">
          <DayPicker at={at} onDone={() => setOpen(false)} />
        </PopoverContent>
      </Popover>
      <span className="h-px flex-1 bg-border" />
    </div>
  );
});

const DAY_MS = 86_400_000;

function DayPicker({ at, onDone }: { at: number; onDone: () => void }) {
  const t = useTexts("messages");
  const errorText = useErrorText();
  const { roomId, jumpTo } = useOpenRoom();
  const head = useRoom(roomId)?.head ?? 0;
  const [busy, setBusy] = useState(false);
  const go = async (to: number) => {
    setBusy(true);
    try {
      jumpTo((await findSeqAt(roomId, to, head)) ?? head);
      onDone();
    } catch (error) {
      toast(errorText(error), { kind: "error" });
    } finally {
      setBusy(false);
    }
  };
  const today = new Date().setHours(0, 0, 0, 0);
  const choices = [
    { label: t("date.today"), to: today },
    { label: t("date.week"), to: today - 7 * DAY_MS },
    { label: t("date.month"), to: today - 30 * DAY_MS },
    { label: t("date.first"), to: 0 },
  ];
  return (
    <div aria-busy={busy} className="flex flex-col">
      {choices.map(({ label, to }) => (
        <Button key={label} variant="ghost" className="justify-start" disabled={busy} onClick={() => void go(to)}>
          {label}
        </Button>
      ))}
      <label className="mt-1 flex flex-col gap-1 border-t px-2 pt-2 pb-1 text-xs text-muted-foreground">
        {t("date.choose")}
        <input
          type="date"
          max={isoDay(today)}
          defaultValue={isoDay(at)}
          disabled={busy}
          onChange={({ target: { value } }) => {
            const [year, month, day] = value.split("-").map(Number);
            if (year !== undefined && year > 1970) void go(new Date(year, (month ?? 1) - 1, day).getTime());
          }}
          className="h-8 rounded-sm border border-input bg-background px-2 text-base text-foreground"
        />
      </label>
    </div>
  );
}

/** The day as a date field writes it, where the person is. */
function isoDay(at: number): string {
  const date = new Date(at);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
