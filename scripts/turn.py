"""Run Debian's coturn on this machine alone, with the secret that Parlour shares with it, until it is ended.

Becomes coturn itself, so that ending this process ends it. Prints the settings under which Parlour hands it out.
"""

import argparse
import os
import secrets
import shutil
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".stack" / "turn"

CONFIGURATION = """\
listening-ip={address}
relay-ip={address}
listening-port={port}
min-port={first}
max-port={last}
realm=parlour
use-auth-secret
static-auth-secret={secret}
fingerprint
stale-nonce=600
no-tls
no-dtls
no-cli
no-multicast-peers
no-software-attribute
{peers}
log-file=stdout
simple-log
pidfile={folder}/{port}.pid
userdb={folder}/{port}.db
"""


def main() -> None:
    """Write the configuration and become coturn."""
    parser = argparse.ArgumentParser(description="Run coturn on loopback for Parlour, until Ctrl-C.")
    parser.add_argument("--port", type=int, default=3478, help="of UDP and TCP (default: 3478)")
    parser.add_argument("--relay-ports", default="49160-49259", metavar="FIRST-LAST", help="default: 49160-49259")
    parser.add_argument("--address", default="127.0.0.1", help="to listen on and to relay from (default: 127.0.0.1)")
    options = parser.parse_args()
    program = shutil.which("turnserver")
    if program is None:
        sys.exit("coturn is missing: make setup-apt, or as root apt-get install coturn")
    secret = os.environ.get("PARLOUR_TURN_SECRET") or secrets.token_hex(16)
    first, _, last = options.relay_ports.partition("-")
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{options.port}.conf"
    path.touch(mode=0o600)
    path.write_text(
        CONFIGURATION.format(
            address=options.address,
            port=options.port,
            first=int(first),
            last=int(last),
            secret=secret,
            folder=FOLDER,
            # Two people on one machine are each other's loopback peers; anywhere else that would open the machine's own services.
            peers="allow-loopback-peers"
            if options.address.startswith("127.")
            else "denied-peer-ip=127.0.0.0-127.255.255.255",
        )
    )
    where = f"{options.address}:{options.port}"
    print(f"turn: coturn on {where}, relaying from {first}-{last}; Ctrl-C ends it. For Parlour:")
    print(f"PARLOUR_STUN_URLS=stun:{where}")
    print(f"PARLOUR_TURN_URLS=turn:{where}?transport=udp,turn:{where}?transport=tcp")
    print(f"PARLOUR_TURN_SECRET={secret}", flush=True)
    os.execv(program, [program, "-c", str(path)])


if __name__ == "__main__":
    main()
