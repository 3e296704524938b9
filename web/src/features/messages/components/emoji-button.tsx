import { lazy, Suspense, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "@/components/ui/icon-button";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { Spinner } from "@/components/ui/spinner";

const EmojiPicker = lazy(async () => ({ default: (await import("./emoji-picker")).EmojiPicker }));

/** Opens the picker and says what was picked. */
export function EmojiButton({ onPick, children }: { onPick: (emoji: string) => void; children: ReactNode }) {
  const { t } = useTranslation("messages");
  const [open, setOpen] = useState(false);
  return (
    <Popover open={open} onOpenChange={setOpen}>
      <PopoverTrigger asChild>
        <IconButton label={t("emoji.open")}>{children}</IconButton>
      </PopoverTrigger>
      <PopoverContent
        align="end"
        side="top"
        className="w-auto p-0"
        onCloseAutoFocus={(event) => event.preventDefault()}
      >
        <Suspense fallback={<PickerPlaceholder />}>
          <EmojiPicker
            onPick={(emoji) => {
              setOpen(false);
              onPick(emoji);
            }}
          />
        </Suspense>
      </PopoverContent>
    </Popover>
  );
}

/** As large as the picker will be. */
export function PickerPlaceholder() {
  return (
    <div className="flex h-88 w-84 max-w-full items-center justify-center">
      <Spinner className="size-5" />
    </div>
  );
}
