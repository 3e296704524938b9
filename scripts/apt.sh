#!/bin/sh
# Install the Debian packages whose programs are missing: apt.sh PROGRAM=PACKAGE … No service that comes with them is started.
set -eu
PATH="$PATH:/usr/sbin:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')"
missing=""
for each in "$@"; do
  command -v "${each%%=*}" >/dev/null || missing="$missing ${each#*=}"
done
[ -n "$missing" ] || exit 0
echo "setup:$missing (Debian packages)"
[ "$(id -u)" = 0 ] || { echo "Missing:$missing. As root, apt-get install$missing (elsewhere by your system's packages), then repeat"; exit 1; }

policy=/usr/sbin/policy-rc.d # what Debian's packages ask whether they may start a service
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
apt-get install -y -qq $missing >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq $missing >/dev/null; }
