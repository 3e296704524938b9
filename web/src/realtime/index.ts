/** The data layer: what the rest of the client may use of it. */

export type * from "./schema.gen";
export type * from "./types";
