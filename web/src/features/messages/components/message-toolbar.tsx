import { Ellipsis } from "lucide-react";
import { Fragment, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from "@/components/ui/dropdown-menu";
import { IconButton } from "@/components/ui/icon-button";
import { cn } from "@/lib/cn";
import type { TimelineMessage } from "@/realtime";
import { useMessageActions, type MessageActionId } from "../hooks/use-message-actions";
import { ACTION_ICONS, ACTION_KEYS } from "../model/action-icons";
import { useRoomUi } from "../model/room-ui";

const DIRECT: readonly MessageActionId[] = ["react", "reply", "edit"];

export interface MessageToolbarProps {
  message: TimelineMessage;
  /** The pointer came to the message, and nobody has told yet that it left. */
  hovered: boolean;
  /** The keyboard is at the message. */
  current: boolean;
}

/** What one mostly does to a message, above it while the pointer or the keyboard is there; the rest in a menu. */
export function MessageToolbar({ message, hovered, current }: MessageToolbarProps) {
  const [open, setOpen] = useState(false);
  const picking = useRoomUi((ui) => ui.picker?.message.key === message.key);
  const kept = current || open || picking;
  if (!hovered && !kept) return null;
  return <Toolbar message={message} kept={kept} open={open} onOpenChange={setOpen} />;
}

interface ToolbarProps {
  message: TimelineMessage;
  /** Shown wherever the pointer is. */
  kept: boolean;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Apart, so that a row without one does not pay for its texts and actions. */
function Toolbar({ message, kept, open, onOpenChange }: ToolbarProps) {
  const { t } = useTranslation("messages");
  const { t: common } = useTranslation();
  const { list, run } = useMessageActions();
  const actions = list(message);
  const direct = DIRECT.filter((id) => actions.includes(id));
  const rest = actions.filter((id) => !DIRECT.includes(id));
  if (actions.length === 0) return null;
  return (
    <div
      className={cn(
        "absolute end-4 -top-3.5 z-10 rounded-sm border bg-popover p-px shadow-sm touch:hidden",
        // Not every browser tells that a row moved away from under a pointer that rests; each knows it itself.
        kept ? "flex" : "hidden group-hover/message:flex",
      )}
    >
      {direct.map((id) => {
        const Icon = ACTION_ICONS[id];
        const keys = ACTION_KEYS[id];
        return (
          <IconButton
            key={id}
            size="sm"
            tabIndex={-1}
            label={t(`actions.${id}`)}
            {...(keys === undefined ? {} : { shortcut: keys })}
            onClick={(event) => run(id, message, event.currentTarget)}
          >
            <Icon className="size-4" />
          </IconButton>
        );
      })}
      <DropdownMenu open={open} onOpenChange={onOpenChange} modal={false}>
        <DropdownMenuTrigger asChild>
          <IconButton size="sm" tabIndex={-1} label={common("more")}>
            <Ellipsis className="size-4" />
          </IconButton>
        </DropdownMenuTrigger>
        <DropdownMenuContent align="end">
          {rest.map((id) => {
            const Icon = ACTION_ICONS[id];
            const keys = ACTION_KEYS[id];
            return (
              <Fragment key={id}>
                {id === "delete" && <DropdownMenuSeparator />}
                <DropdownMenuItem
                  destructive={id === "delete"}
                  {...(keys === undefined ? {} : { shortcut: keys })}
                  onSelect={() => run(id, message, document.body)}
                >
                  <Icon aria-hidden />
                  {t(`actions.${id}`)}
                </DropdownMenuItem>
              </Fragment>
            );
          })}
        </DropdownMenuContent>
      </DropdownMenu>
    </div>
  );
}
