import { Ellipsis } from "lucide-react";
import { Fragment } from "react";
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

const DIRECT: readonly MessageActionId[] = ["react", "reply", "edit"];

export interface MessageToolbarProps {
  message: TimelineMessage;
  /** Shown wherever the pointer is: the keyboard is at the message, or what the toolbar opened is open. */
  kept: boolean;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** What one mostly does to a message, above it while the pointer or the keyboard is there; the rest in a menu. */
export function MessageToolbar({ message, kept, open, onOpenChange }: MessageToolbarProps) {
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
