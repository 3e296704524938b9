/** What lies between the page and a window over it. */
export const overlayClasses =
  "fixed inset-0 z-40 bg-overlay data-[state=closed]:animate-fade-out data-[state=open]:animate-fade-in";
