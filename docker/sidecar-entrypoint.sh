#!/bin/sh
# Writes a dump of each plugin to the shared volume, for Kong's query_cmd, and serves them all on one socket there.
#   kong-ts-sidecar PLUGIN...      further options of kong-ts serve: KONG_TS_SERVE_OPTIONS
set -eu
folder=${KONG_TS_FOLDER:-/run/kong-ts}
for plugin in "$@"; do
  /usr/local/bin/kong-ts dump "$plugin" > "$folder/.dump.$$"
  name=$(/usr/local/bin/node -e 'process.stdout.write(JSON.parse(require("fs").readFileSync(process.argv[1])).Plugins[0].Name)' "$folder/.dump.$$")
  # A rename, so that a Kong that starts right now reads the old dump or the new one, never half of one.
  mv "$folder/.dump.$$" "$folder/$name.json"
done
# shellcheck disable=SC2086 # options are words
exec /usr/local/bin/kong-ts serve "$@" --socket "$folder/kong-ts.socket" --socket-mode 0666 ${KONG_TS_SERVE_OPTIONS:---data-dir /var/lib/kong-ts}
