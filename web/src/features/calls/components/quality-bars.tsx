import { useTranslation } from "react-i18next";
import { tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";
import type { Quality } from "@/media";

const HEIGHTS = ["h-1.5", "h-2.5", "h-3.5", "h-4.5"];

/** Four bars, and what keeps them from being four. */
export function QualityBars({ quality, explained = false }: { quality: Quality; explained?: boolean }) {
  const { t } = useTranslation("calls");
  const { bars, reason } = quality;
  const text = t(`quality.${reason ?? "good"}`);
  return (
    <span
      {...tooltip(text, { side: "bottom" })}
      className="inline-flex items-center gap-2 text-sm text-muted-foreground"
    >
      <span
        role="img"
        aria-label={`${t("quality.label", { count: bars })}. ${text}`}
        className="inline-flex h-5 items-end gap-0.5"
      >
        {HEIGHTS.map((height, index) => (
          <span
            key={height}
            className={cn(
              "w-1 rounded-full",
              height,
              index >= bars && "bg-muted-foreground/30",
              index < bars && (bars > 2 ? "bg-success" : bars === 2 ? "bg-warning" : "bg-destructive"),
            )}
          />
        ))}
      </span>
      {explained && reason !== undefined && <span className="max-md:hidden">{text}</span>}
    </span>
  );
}
