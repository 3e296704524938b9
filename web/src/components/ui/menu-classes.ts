/** What all menus look like. */
export const menuClasses = {
  content: [
    "z-50 max-h-(--radix-popper-available-height) max-w-(--radix-popper-available-width) min-w-44 overflow-y-auto rounded-md border bg-popover p-1 text-popover-foreground shadow-md outline-none",
    "origin-(--radix-popper-transform-origin) data-[state=closed]:animate-pop-out data-[state=open]:animate-pop-in",
  ].join(" "),
  item: [
    "relative flex min-h-7.5 cursor-default items-center gap-2.5 rounded-sm px-2 text-base outline-none select-none touch:min-h-11",
    "data-[disabled]:opacity-50 data-[highlighted]:bg-accent data-[highlighted]:text-accent-foreground data-[state=open]:bg-accent",
    "[&_svg]:shrink-0 [&_svg]:text-muted-foreground [&_svg:not([class*=size-])]:size-4",
  ].join(" "),
  destructive: "text-destructive-text data-[highlighted]:text-destructive-text [&_svg]:text-destructive-text",
  label: "px-2 pt-1.5 pb-1 text-xs font-medium text-muted-foreground",
  separator: "-mx-1 my-1 h-px bg-border",
};
