import auth from "./auth.json";
import common from "./common.json";

const en = { auth, common };

export default en;
