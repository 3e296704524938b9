import auth from "./auth.json";
import calls from "./calls.json";
import common from "./common.json";
import messages from "./messages.json";
import notifications from "./notifications.json";
import rooms from "./rooms.json";
import search from "./search.json";
import settings from "./settings.json";

const en = { auth, calls, common, messages, notifications, rooms, search, settings };

export default en;
