import type { Translations } from "../types";
import auth from "./auth.json";
import common from "./common.json";

const de: Translations = { auth, common };

export default de;
