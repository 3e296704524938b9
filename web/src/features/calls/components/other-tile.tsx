import { MicOff } from "lucide-react";
import type { Ref } from "react";
import { useTranslation } from "react-i18next";
import { Avatar } from "@/components/ui/avatar";
import { cn } from "@/lib/cn";
import type { Other } from "../hooks/use-other";
import { useSpeaking } from "../hooks/use-speaking";
import { Picture } from "./picture";

export interface OtherTileProps {
  other: Other;
  compact?: boolean;
  className?: string;
  /** The picture, for picture in picture. */
  ref?: Ref<HTMLVideoElement>;
}

/** The other one: their camera or their initials, whether they are muted, and whether they speak. */
export function OtherTile({ other, compact = false, className, ref }: OtherTileProps) {
  const { t } = useTranslation("calls");
  const speaking = useSpeaking() && !other.muted;
  return (
    <div
      data-speaking={speaking || undefined}
      className={cn(
        "relative flex min-h-0 min-w-0 items-center justify-center overflow-hidden rounded-md bg-muted ring-2 ring-transparent transition-shadow",
        speaking && "ring-success",
        className,
      )}
    >
      {other.camera === undefined ? (
        <Avatar id={other.id} name={other.name} size={compact ? "lg" : "xl"} />
      ) : (
        <Picture
          {...(ref === undefined ? {} : { ref })}
          track={other.camera}
          label={t("people.pictureOf", { name: other.name })}
        />
      )}
      {(other.muted || !compact) && (
        <span className="absolute start-2 bottom-2 flex max-w-[calc(100%-1rem)] items-center gap-1.5 rounded-sm bg-black/60 px-2 py-1 text-sm text-white">
          {other.muted && (
            <MicOff role="img" aria-label={t("people.muted", { name: other.name })} className="size-3.5 shrink-0" />
          )}
          {!compact && <bdi className="truncate">{other.name}</bdi>}
        </span>
      )}
      {speaking && <span className="sr-only">{t("people.speaking", { name: other.name })}</span>}
    </div>
  );
}
