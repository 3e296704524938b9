/** The texts of every namespace, as English has them; i18next checks keys against it, and other languages are of this shape. */

import type en from "./en";

type Texts<Tree> = { readonly [Key in keyof Tree]: Tree[Key] extends string ? string : Texts<Tree[Key]> };

export type Translations = Texts<typeof en>;

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: typeof en;
  }
}
