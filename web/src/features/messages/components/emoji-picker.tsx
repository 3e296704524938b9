import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { ErrorState } from "@/components/ui/error-state";
import { Spinner } from "@/components/ui/spinner";
import { useMediaQuery } from "@/lib/media-query";
import { useEmojiLoad } from "../hooks/use-emoji";
import {
  GROUPS,
  inTone,
  recentEmoji,
  rememberEmoji,
  setSkinTone,
  skinTone,
  type Emoji,
  type EmojiIndex,
} from "../model/emoji";
import { EmojiGridRow, SkinTones } from "./emoji-grid";

const COLUMNS = 8;
const FOUND = 64;

type Line = { heading: string } | { cells: readonly Emoji[] };

/** All emoji, by group; searched by what they are called; those used lately first. */
export function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const { t } = useTranslation("messages");
  const touch = useMediaQuery("(pointer: coarse)");
  const { index, error, retry } = useEmojiLoad();
  const [query, setQuery] = useState("");
  const [tone, setTone] = useState(skinTone);
  const [active, setActive] = useState(0);
  const [hovered, setHovered] = useState<Emoji>();
  const scroller = useRef<HTMLDivElement>(null);

  const lines = useMemo(() => {
    if (index === undefined) return [];
    if (query.trim() !== "") return rowsOf(index.search(query, FOUND));
    return allLines(index, t);
  }, [index, query, t]);
  const flat = useMemo(() => lines.flatMap((line) => ("cells" in line ? line.cells : [])), [lines]);
  // eslint-disable-next-line react-hooks/incompatible-library -- its functions are called, and never memoised
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (at) => (lines[at] !== undefined && "heading" in lines[at] ? 28 : 38),
    overscan: 6,
  });

  const pick = (emoji: Emoji) => {
    const picked = inTone(emoji, tone);
    rememberEmoji(picked);
    onPick(picked);
  };
  const move = (to: number) => {
    const next = Math.max(0, Math.min(flat.length - 1, to));
    setActive(next);
    const at = lines.findIndex((line) => "cells" in line && line.cells.some((cell) => cell === flat[next]));
    if (at >= 0) rows.scrollToIndex(at);
  };
  const press = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS };
    const step = steps[event.key];
    const chosen = flat[active];
    if (step !== undefined) move(active + step);
    else if (event.key === "Enter" && chosen !== undefined) pick(chosen);
    else return;
    event.preventDefault();
  };

  const shown = hovered ?? flat[active];
  return (
    <div className="flex w-84 max-w-full flex-col" role="group" aria-label={t("emoji.open")}>
      <div className="flex items-center gap-1 border-b p-2">
        <input
          // On a phone the keyboard would cover what one came for.
          autoFocus={!touch}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={press}
          aria-label={t("emoji.search")}
          placeholder={t("emoji.search")}
          className="h-8 min-w-0 flex-1 rounded-sm bg-secondary px-2.5 text-base outline-offset-0"
        />
        <SkinTones
          tone={tone}
          onChange={(next) => {
            setTone(next);
            setSkinTone(next);
          }}
        />
      </div>
      <div ref={scroller} tabIndex={-1} className="h-72 overflow-y-auto overscroll-contain px-2 pb-2">
        {error !== undefined && <ErrorState error={error} onRetry={retry} />}
        {index === undefined && error === undefined && <Spinner className="mx-auto mt-30 size-5" />}
        {index !== undefined && lines.length === 0 && (
          <p className="py-10 text-center text-muted-foreground">{t("emoji.none", { query })}</p>
        )}
        <div className="relative w-full" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ key, index: at, start }) => {
            const line = lines[at];
            return (
              <div
                key={key}
                ref={rows.measureElement}
                data-index={at}
                className="absolute inset-x-0 top-0"
                style={{ transform: `translateY(${start}px)` }}
              >
                {line !== undefined && "heading" in line ? (
                  <h3 className="flex h-7 items-end px-1 pb-0.5 text-xs font-medium text-muted-foreground">
                    {line.heading}
                  </h3>
                ) : (
                  <EmojiGridRow
                    cells={line?.cells ?? []}
                    active={flat[active]}
                    tone={tone}
                    onPick={pick}
                    onHover={setHovered}
                  />
                )}
              </div>
            );
          })}
        </div>
      </div>
      <div className="flex h-9 items-center gap-2 border-t px-3 text-sm text-muted-foreground" aria-live="polite">
        {shown !== undefined && (
          <>
            <span className="text-lg">{inTone(shown, tone)}</span>
            <span className="truncate">
              {shown.label} {shown.shortcodes[0] !== undefined && <code>:{shown.shortcodes[0]}:</code>}
            </span>
          </>
        )}
      </div>
    </div>
  );
}

function rowsOf(all: readonly Emoji[]): Line[] {
  const rows: Line[] = [];
  for (let at = 0; at < all.length; at += COLUMNS) rows.push({ cells: all.slice(at, at + COLUMNS) });
  return rows;
}

function allLines(
  index: EmojiIndex,
  t: (key: "emoji.recent" | `emoji.groups.${(typeof GROUPS)[number]}`) => string,
): Line[] {
  const recent = recentEmoji().flatMap((emoji) => {
    const known = index.byUnicode(emoji);
    return known === undefined ? [] : [{ ...known, unicode: emoji, skins: [] }];
  });
  return [
    { heading: t("emoji.recent") },
    ...rowsOf(recent),
    ...GROUPS.flatMap((group): Line[] => [
      { heading: t(`emoji.groups.${group}`) },
      ...rowsOf(index.all.filter((emoji) => emoji.group === group)),
    ]),
  ];
}
