import { memo } from "react";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import { inTone, type Emoji } from "../model/emoji";

export interface EmojiGridRowProps {
  cells: readonly Emoji[];
  active: Emoji | undefined;
  tone: number;
  onPick: (emoji: Emoji) => void;
  onHover: (emoji: Emoji) => void;
}

export const EmojiGridRow = memo(function EmojiGridRow({ cells, active, tone, onPick, onHover }: EmojiGridRowProps) {
  return (
    <div className="grid grid-cols-8">
      {cells.map((emoji) => (
        <button
          key={emoji.unicode}
          type="button"
          tabIndex={-1}
          aria-label={emoji.label}
          onPointerEnter={() => onHover(emoji)}
          onClick={() => onPick(emoji)}
          className={cn(
            "flex h-9.5 items-center justify-center rounded-sm text-[min(1.25rem,7vw)] leading-none hover:bg-accent",
            emoji === active && "bg-accent",
          )}
        >
          {inTone(emoji, tone)}
        </button>
      ))}
    </div>
  );
});

const HANDS = ["✋", "✋🏻", "✋🏼", "✋🏽", "✋🏾", "✋🏿"];

/** The colour of skin for all emoji that have one: each press is the next. */
export function SkinTones({ tone, onChange }: { tone: number; onChange: (tone: number) => void }) {
  const { t } = useTranslation("messages");
  return (
    <button
      type="button"
      aria-label={t("emoji.tone", { tone: tone + 1 })}
      title={t("emoji.tone", { tone: tone + 1 })}
      onClick={() => onChange((tone + 1) % HANDS.length)}
      className="flex size-8 items-center justify-center rounded-sm text-lg hover:bg-accent"
    >
      {HANDS[tone]}
    </button>
  );
}
