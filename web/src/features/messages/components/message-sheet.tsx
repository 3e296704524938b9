import { SmilePlus } from "lucide-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "@/components/ui/icon-button";
import { Sheet, SheetContent } from "@/components/ui/sheet";
import { cn } from "@/lib/cn";
import { addReaction } from "@/realtime";
import { useMessageActions } from "../hooks/use-message-actions";
import { ACTION_ICONS } from "../model/action-icons";
import { recentEmoji, rememberEmoji } from "../model/emoji";
import { useOpenRoom, useRoomUi } from "../model/room-ui";

/** A phone's menu of a message: what a long press opens. */
export const MessageSheet = memo(function MessageSheet() {
  const { t } = useTranslation("messages");
  const { roomId, ui } = useOpenRoom();
  const message = useRoomUi((state) => state.sheet);
  const { list, run } = useMessageActions();
  const close = () => ui.setState({ sheet: undefined });
  const actions = message === undefined ? [] : list(message);
  return (
    <Sheet
      open={message !== undefined}
      onOpenChange={(open) => {
        if (!open) close();
      }}
    >
      {message !== undefined && (
        <SheetContent
          side="bottom"
          title={t("actions.title")}
          className="pt-2 pb-[max(0.5rem,env(safe-area-inset-bottom))]"
        >
          {actions.includes("react") && (
            <div className="flex flex-wrap justify-between border-b px-3 pb-2">
              {recentEmoji()
                .slice(0, 6)
                .map((emoji) => (
                  <button
                    key={emoji}
                    type="button"
                    className="size-11 rounded-full text-xl active:bg-accent"
                    onClick={() => {
                      rememberEmoji(emoji);
                      void addReaction(roomId, message.id, emoji);
                      close();
                    }}
                  >
                    {emoji}
                  </button>
                ))}
              <IconButton
                size="lg"
                label={t("actions.react")}
                onClick={(event) => {
                  run("react", message, event.currentTarget);
                  close();
                }}
              >
                <SmilePlus />
              </IconButton>
            </div>
          )}
          <div className="overflow-y-auto px-2 pt-1">
            {actions
              .filter((id) => id !== "react")
              .map((id) => {
                const Icon = ACTION_ICONS[id];
                return (
                  <button
                    key={id}
                    type="button"
                    className={cn(
                      "flex min-h-12 w-full items-center gap-3.5 rounded-sm px-3 text-start text-md active:bg-accent",
                      id === "delete" && "text-destructive-text",
                    )}
                    onClick={(event) => {
                      run(id, message, event.currentTarget);
                      close();
                    }}
                  >
                    <Icon aria-hidden className="size-5 shrink-0" />
                    {t(`actions.${id}`)}
                  </button>
                );
              })}
          </div>
        </SheetContent>
      )}
    </Sheet>
  );
});
