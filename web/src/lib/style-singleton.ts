/**
 * In place of the package `react-style-singleton`, which Radix uses to lock the page's scroll below a dialog: that one adds a
 * `<style>` element, which our content security policy refuses; a constructed style sheet it does not (vite.config.ts).
 */

import { useEffect } from "react";

/** Return a component that applies its styles while at least one instance of it is mounted; the first one's styles win. */
export function styleSingleton(): (props: { styles: string }) => null {
  let mounted = 0;
  let sheet: CSSStyleSheet | undefined;

  return function Style({ styles }) {
    useEffect(() => {
      if (mounted === 0) {
        sheet = new CSSStyleSheet();
        sheet.replaceSync(styles);
        document.adoptedStyleSheets.push(sheet);
      }
      mounted += 1;
      return () => {
        mounted -= 1;
        if (mounted > 0) return;
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
      };
    }, [styles]);
    return null;
  };
}
