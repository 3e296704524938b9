"""Every Prometheus metric of Parlour, in one place: names, labels and buckets are an interface."""

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

# HTTP: rate, errors, duration. `route` is the route's template, so that cardinality is the number of routes.
HTTP_REQUESTS = Counter("parlour_http_requests_total", "HTTP requests by route.", ["method", "route", "status"])
HTTP_SECONDS = Histogram(
    "parlour_http_request_seconds", "Time to answer an HTTP request.", ["method", "route"], buckets=_FAST
)

# Sockets: connections and what they ask.
SOCKETS = Gauge("parlour_sockets", "Engine.IO connections open now.", ["transport"])
SOCKETS_OPENED = Counter("parlour_sockets_opened_total", "Engine.IO connections opened.", ["transport"])
SOCKETS_CLOSED = Counter("parlour_sockets_closed_total", "Engine.IO connections closed, by reason.", ["reason"])
SOCKETS_REFUSED = Counter("parlour_sockets_refused_total", "Connections and packets refused by a limit.", ["reason"])
SOCKETS_DISPLACED = Counter(
    "parlour_sockets_displaced_total", "Sockets closed because their user opened too many newer ones."
)
SLOW_READERS = Counter(
    "parlour_slow_readers_total",
    "Sockets closed because they did not read, past the bound of the socket or of the process.",
    ["bound"],
)
VOLATILE_DROPPED = Counter(
    "parlour_volatile_dropped_total", "Volatile events dropped for sockets that could not take them."
)
OUTBOX_BYTES = Gauge("parlour_outbox_bytes", "Bytes that wait for sockets which do not read fast enough.")
PACKETS_RECEIVED = Counter("parlour_packets_received_total", "Engine.IO messages received.")
BYTES_RECEIVED = Counter("parlour_bytes_received_total", "Bytes of Engine.IO messages received.")
EVENTS = Counter("parlour_events_total", "Socket.IO events handled.", ["event", "outcome"])
EVENT_SECONDS = Histogram(
    "parlour_event_seconds", "Time to handle a Socket.IO event, its acknowledgement included.", ["event"], buckets=_FAST
)
DELIVERIES = Counter("parlour_deliveries_total", "Packets written, one a recipient.")
BYTES_SENT = Counter("parlour_bytes_sent_total", "Bytes written to sockets.")
DELIVERY_SECONDS = Histogram(
    "parlour_delivery_seconds", "From the receipt of a message to its write to the last local member.", buckets=_FAST
)

# The room log.
APPEND_SECONDS = Histogram("parlour_append_seconds", "Time to make a batch of events durable.", buckets=_FAST)
APPEND_EVENTS = Histogram(
    "parlour_append_events", "Events in a batch.", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
)
APPEND_FAILURES = Counter("parlour_append_failures_total", "Batches that could not be made durable.")
SEARCH_SECONDS = Histogram("parlour_search_seconds", "Time of a search.", buckets=_FAST)

# Mentions.
MENTIONS_UNRESOLVED = Counter(
    "parlour_mentions_unresolved_total",
    "Words with an @ taken as plain text, since the directory could not be asked and nobody of that name was remembered.",
)

# The outbox from SQL to the room log.
OUTBOX_RELAYED = Counter("parlour_room_outbox_relayed_total", "Changes of membership and rooms told to the room log.")
OUTBOX_FAILURES = Counter("parlour_room_outbox_failures_total", "Attempts to tell the room log that failed.")
OUTBOX_SET_ASIDE = Counter("parlour_room_outbox_set_aside_total", "Changes that the room log refused for good.")

# The engines that are servers of their own. `engine` is postgresql, search, mongodb, redis, kafka or kafka_admin,
# or a service of this server that another one asks: auth or chat.
ENGINE_SECONDS = Histogram(
    "parlour_engine_call_seconds",
    "Time of a call to an engine that succeeded, waiting for a turn included.",
    ["engine"],
    buckets=_FAST,
)
ENGINE_CALLS = Counter(
    "parlour_engine_calls_total",
    "Calls to an engine: done, failed, or refused because it was away or too many waited.",
    ["engine", "outcome"],
)
ENGINE_RETRIES = Counter("parlour_engine_retries_total", "Calls to an engine that were repeated.", ["engine"])
ENGINE_AWAY = Gauge(
    "parlour_engine_away", "1 while calls to an engine are refused, since it failed too often.", ["engine"]
)

# Commands on their way through Kafka.
COMMAND_LAG = Gauge("parlour_command_lag", "Commands of a partition that wait for their worker.", ["partition"])
ROOM_EVENTS_UNREADABLE = Counter(
    "parlour_room_events_unreadable_total", "Committed events that a consumer could not read."
)
DEAD_LETTERS = Counter("parlour_dead_letters_total", "Commands that no worker could do, kept to be looked at.")

# Between processes.
NODE_MESSAGES_DROPPED = Counter(
    "parlour_node_messages_dropped_total", "Messages between processes that were dropped, by reason.", ["reason"]
)

# The caches in two layers. `layer` is process or redis, `outcome` hit, miss or failed; a miss of both is a read of the source.
CACHE_LOOKUPS = Counter(
    "parlour_cache_lookups_total", "Look-ups in caches by layer and outcome.", ["cache", "layer", "outcome"]
)

# Accounts.
LOGINS = Counter("parlour_logins_total", "Logins by outcome.", ["outcome"])
PASSWORD_SECONDS = Histogram(
    "parlour_password_hash_seconds", "Time to hash or verify a password, waiting included.", buckets=_FAST
)
SESSIONS_REVOKED = Counter("parlour_sessions_revoked_total", "Sessions that ended before their time.", ["reason"])

# Calls.
CALLS = Gauge("parlour_calls", "Calls under way or ringing.")
CALLS_STARTED = Counter("parlour_calls_started_total", "Calls started.", ["media"])
CALLS_ENDED = Counter("parlour_calls_ended_total", "Calls ended, by reason.", ["reason"])
CALL_ANSWER_SECONDS = Histogram(
    "parlour_call_answer_seconds",
    "From the start of a call to its being answered.",
    buckets=(1, 2, 5, 10, 20, 30, 45, 60),
)
CALL_SETUP_SECONDS = Histogram(
    "parlour_call_setup_seconds", "From a call's being answered to the relay of the first answer in SDP.", buckets=_FAST
)
CALL_SIGNALS = Counter(
    "parlour_call_signals_total", "Descriptions and candidates relayed between participants.", ["kind"]
)
CALLS_REFUSED = Counter("parlour_calls_refused_total", "Events of calls refused, by code.", ["code"])
CALL_JOURNAL_FAILURES = Counter(
    "parlour_call_journal_failures_total", "Attempts to keep calls, or to tell the room log of them, that failed."
)

# The loop itself.
LOOP_LAG_SECONDS = Histogram(
    "parlour_loop_lag_seconds", "How much later than asked a timer of the event loop fires.", buckets=_FAST
)
