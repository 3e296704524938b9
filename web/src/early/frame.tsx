import { useState } from "react";
import { useTranslation } from "react-i18next";
import { RowSkeletons } from "@/features/rooms/components/row-skeletons";
import { Composer } from "@/features/messages/components/composer";
import { SkeletonRows } from "@/features/messages/components/timeline-skeleton";
import { createRoomUi, OpenRoomContext } from "@/features/messages/model/room-ui";
import { iconButtonVariants } from "@/components/ui/button-variants";
import { Skeleton } from "@/components/ui/skeleton";

const nothing = () => undefined;

/**
 * The frame of the signed-in app as AppShell, Page and RoomView draw it, of which only the composer is more than a place. The script
 * removes what `data-early` marks where it does not belong to the page's address.
 */
export function Frame() {
  const { t } = useTranslation("messages");
  const [ui] = useState(() => createRoomUi(undefined));
  return (
    // Nothing moves: each of the places would have its style computed in every frame while the application starts.
    <div className="flex h-dvh ps-[env(safe-area-inset-left)] pe-[env(safe-area-inset-right)] pt-[env(safe-area-inset-top)] **:animate-none">
      <div
        aria-hidden
        className="flex w-[min(var(--sidebar-width),45vw)] shrink-0 flex-col border-sidebar-border bg-sidebar max-md:hidden max-md:w-auto max-md:flex-1 max-md:in-data-home:flex md:border-e"
      >
        <div className="flex h-13 shrink-0 items-center gap-2 px-3.5">
          <Skeleton className="size-6 bg-sidebar-accent" />
          <Skeleton className="h-3 w-28 bg-sidebar-accent" />
        </div>
        <div className="px-2 pb-2">
          <div className="h-8 rounded-sm border border-sidebar-border bg-background/60 touch:h-11" />
        </div>
        <RowSkeletons />
      </div>
      <main className="flex min-h-0 min-w-0 flex-1 flex-col max-md:in-data-home:hidden">
        <div aria-hidden className="flex min-h-13 shrink-0 items-center gap-2 border-b px-4">
          <Skeleton className="size-5 md:hidden" />
          <Skeleton className="h-4 w-40" />
          <div className="ms-auto flex gap-3">
            <Skeleton className="size-5 max-md:hidden" />
            <Skeleton className="size-5 max-md:hidden" />
            <Skeleton className="size-5" />
            <Skeleton className="size-5" />
          </div>
        </div>
        <div data-early="room" className="flex min-h-0 flex-1 flex-col">
          <div aria-hidden className="flex min-h-0 flex-1 flex-col justify-end gap-5 overflow-hidden px-5 pb-4">
            <SkeletonRows />
          </div>
          <ol
            data-early="sent"
            aria-live="polite"
            className="flex max-h-1/2 shrink-0 flex-col overflow-y-auto pb-1 empty:hidden"
          />
          <template data-early="message">
            <li className="flex gap-3 px-4 pt-0.5 pb-1 text-md md:px-5">
              <Skeleton className="size-9 shrink-0" />
              <div className="min-w-0 flex-1">
                <p dir="auto" className="wrap-anywhere whitespace-pre-wrap text-muted-foreground" />
                <p className="text-xs text-muted-foreground">{t("state.pending")}</p>
              </div>
            </li>
          </template>
          <div className="shrink-0 px-3 pb-[max(0.25rem,env(safe-area-inset-bottom))] md:px-5">
            {/* With the looks of the button that sends: with a text and without. */}
            <div
              data-early="composer"
              data-sendable={iconButtonVariants({ variant: "primary" })}
              data-empty={iconButtonVariants({ variant: "ghost" })}
            >
              <OpenRoomContext value={{ roomId: "", ui, jumpTo: nothing, focusComposer: nothing }}>
                <Composer roomName="" lastOwn={undefined} onSent={nothing} />
              </OpenRoomContext>
            </div>
            <p className="h-5" />
          </div>
        </div>
      </main>
    </div>
  );
}
