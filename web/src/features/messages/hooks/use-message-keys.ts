import { memo, type KeyboardEvent, type RefObject } from "react";
import { useTranslation } from "react-i18next";
import { useShortcut } from "@/lib/shortcuts";
import { ACTION_KEYS } from "../model/action-icons";
import { useOpenRoom } from "../model/room-ui";
import { nextMessage, type Row } from "../model/rows";
import { useMessageActions, type MessageActionId } from "./use-message-actions";

const noop = () => undefined;

/** The keys of the timeline: arrows go from message to message, and letters do what the toolbar does. */
export function useMessageKeys(
  rows: readonly Row[],
  scroller: RefObject<HTMLElement | null>,
  show: (index: number) => void,
): (event: KeyboardEvent) => void {
  const { ui, focusComposer } = useOpenRoom();
  const { list, run } = useMessageActions();

  const focus = (key: string) => {
    ui.setState({ current: key });
    show(rows.findIndex((row) => row.key === key));
    // The row may have to be made first.
    requestAnimationFrame(() => {
      scroller.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
    });
  };

  return (event) => {
    const target = event.target as HTMLElement;
    const focused = target.dataset.key;
    const onList = target === scroller.current;
    // The focus follows a frame after the keys: a quick hand is ahead of it.
    const key = ui.getState().current ?? focused;
    if ((focused === undefined && !onList) || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = key === undefined ? rows.length : rows.findIndex((row) => row.key === key);
    const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : undefined;
    const row = rows[index];
    if (step !== undefined) {
      const next = nextMessage(rows, index + step, step);
      if (next !== undefined) focus(next.key);
      else if (step === 1) focusComposer();
    } else if (event.key === "Escape" || (onList && event.key === "Enter")) focusComposer();
    else if (row?.kind === "message") {
      const action = actionOf(event.key);
      if (action === undefined) return;
      const allowed = list(row.message);
      const found = action === "pin" && allowed.includes("unpin") ? "unpin" : action;
      if (!allowed.includes(found)) return;
      run(found, row.message, target);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function actionOf(key: string): MessageActionId | undefined {
  const pressed = key === "Backspace" ? "Delete" : key;
  const entries = Object.entries(ACTION_KEYS) as [MessageActionId, string][];
  return entries.find(([, each]) => each === pressed)?.[0];
}

/** Lists the keys of the timeline in the `?` sheet. Apart from it, which is drawn with every event. */
export const ListedMessageKeys = memo(function ListedMessageKeys() {
  const { t } = useTranslation("messages");
  const listed = { group: "messages", listedOnly: true } as const;
  useShortcut({ ...listed, label: t("shortcuts.move"), keys: ["ArrowUp", "ArrowDown"] }, noop);
  useShortcut({ ...listed, label: t("actions.react"), keys: "+" }, noop);
  useShortcut({ ...listed, label: t("actions.reply"), keys: "r" }, noop);
  useShortcut({ ...listed, label: t("actions.edit"), keys: "e" }, noop);
  useShortcut({ ...listed, label: t("actions.pin"), keys: "p" }, noop);
  useShortcut({ ...listed, label: t("actions.markUnread"), keys: "u" }, noop);
  useShortcut({ ...listed, label: t("actions.delete"), keys: "Delete" }, noop);
  return null;
});
