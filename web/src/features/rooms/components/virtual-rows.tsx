import { useVirtualizer } from "@tanstack/react-virtual";
import { useImperativeHandle, type ReactNode, type Ref } from "react";

/** A row's height where it is not measured yet. */
const ROW = 30;

export interface Revealer {
  reveal: (index: number) => void;
}

export interface VirtualRowsProps {
  count: number;
  keyOf: (index: number) => string;
  render: (index: number) => ReactNode;
  /** What scrolls; it has to be there before this is. */
  scroller: HTMLElement;
  ref: Ref<Revealer>;
}

/** Of a long list only the rows in sight. */
export function VirtualRows({ count, keyOf, render, scroller, ref }: VirtualRowsProps) {
  // eslint-disable-next-line react-hooks/incompatible-library -- it is meant to be called anew with every render
  const rows = useVirtualizer({
    count,
    getItemKey: keyOf,
    getScrollElement: () => scroller,
    estimateSize: () => ROW,
    overscan: 16,
    scrollPaddingStart: 8,
    scrollPaddingEnd: 8,
  });
  useImperativeHandle(ref, () => ({ reveal: (index) => rows.scrollToIndex(index) }), [rows]);
  return (
    <div className="relative w-full" style={{ height: rows.getTotalSize() }}>
      {rows.getVirtualItems().map((row) => (
        <div
          key={row.key}
          ref={rows.measureElement}
          data-index={row.index}
          className="absolute inset-x-0 top-0"
          style={{ transform: `translateY(${row.start}px)` }}
        >
          {render(row.index)}
        </div>
      ))}
    </div>
  );
}
