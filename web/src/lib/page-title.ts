/** The document's title, with how much waits unread, and the badge of the installed app. */

import { useEffect } from "react";
import { createStore } from "zustand";

const NAME = "Parlour";

const store = createStore<{ title: string; count: number; dot: boolean }>(() => ({ title: "", count: 0, dot: false }));

store.subscribe(({ title, count, dot }) => {
  const mark = count > 0 ? `(${count > 99 ? "99+" : count}) ` : dot ? "\u2022 " : "";
  document.title = mark + (title === "" ? NAME : `${title} \u00b7 ${NAME}`);
});

/** Name the page while the component is mounted. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    store.setState({ title });
    return () => {
      if (store.getState().title === title) store.setState({ title: "" });
    };
  }, [title]);
}

/** Show how many mentions wait, or by a dot that something else is unread, in the title and on the app's icon. */
export function setBadge(count: number, unread: boolean): void {
  store.setState({ count, dot: unread });
  if (!("setAppBadge" in navigator)) return;
  const shown = count > 0 ? navigator.setAppBadge(count) : unread ? navigator.setAppBadge() : navigator.clearAppBadge();
  shown.catch(() => undefined); // refused where the app is not installed
}
