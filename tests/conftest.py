"""What holds for all tests: none speaks TLS, and httpx need not read all certificates of the world for each of its clients."""

import os
from pathlib import Path

os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)  # holds none; reading them takes 20 to 40 ms of a core
