import auth from "./auth.json";
import common from "./common.json";
import messages from "./messages.json";
import rooms from "./rooms.json";
import search from "./search.json";

const en = { auth, common, messages, rooms, search };

export default en;
