import { initials, toneOf } from "@/lib/avatar";
import { cn } from "@/lib/cn";
import { useTexts } from "@/lib/i18n";

const SIZES = {
  xs: "size-5 text-[0.5625rem]",
  sm: "size-6 text-[0.625rem]",
  md: "size-8 text-xs",
  lg: "size-9 text-sm",
  xl: "size-16 text-xl",
};
const DOTS = { xs: "size-2", sm: "size-2", md: "size-2.5", lg: "size-2.5", xl: "size-4" };

export type PresenceState = "online" | "idle" | "offline";

export interface AvatarProps {
  /** Gives the colour, the same everywhere. */
  id: string;
  name: string;
  size?: keyof typeof SIZES;
  presence?: PresenceState | undefined;
  className?: string;
}

/** A person by initials and colour. Decoration beside the name; only its presence is told. */
export function Avatar({ id, name, size = "lg", presence, className }: AvatarProps) {
  return (
    <span className={cn("relative inline-flex shrink-0", className)}>
      <span
        aria-hidden
        data-tone={toneOf(id)}
        className={cn(
          "avatar inline-flex items-center justify-center rounded-sm font-semibold select-none",
          SIZES[size],
        )}
      >
        {initials(name)}
      </span>
      {presence !== undefined && (
        <PresenceDot
          presence={presence}
          className={cn("absolute -end-0.5 -bottom-0.5 ring-2 ring-(--ground,var(--background))", DOTS[size])}
        />
      )}
    </span>
  );
}

/** Filled while online, a half moon's colour while away, a ring while offline: told by shape too, not by colour alone. */
export function PresenceDot({ presence, className }: { presence: PresenceState; className?: string }) {
  const t = useTexts("common");
  return (
    <span
      role="img"
      aria-label={t(`presence.${presence}`)}
      className={cn(
        "size-2.5 rounded-full",
        presence === "online" && "bg-success",
        presence === "idle" && "border-2 border-warning bg-(--ground,var(--background))",
        presence === "offline" && "border-[1.5px] border-muted-foreground/60 bg-(--ground,var(--background))",
        className,
      )}
    />
  );
}
