import auth from "./auth.json";
import common from "./common.json";
import messages from "./messages.json";
import rooms from "./rooms.json";

const en = { auth, common, messages, rooms };

export default en;
