#!/bin/sh
# Writes a dump of each plugin to the shared volume, for Kong's query_cmd, and serves them all there: plugins of ProtoBuf:1
# on kong-ts.socket, plugins of MsgPack:1 on kong-ts-msgpack.socket. A single protocol may use either of the two.
#   kong-ts-sidecar PLUGIN...
# KONG_TS_FOLDER is the shared volume (/run/kong-ts); KONG_TS_SERVE_OPTIONS are further options of kong-ts serve.
set -eu
# Kong's user, who need not be this one, reads the dumps. The server closes what it writes to all others by itself.
umask 022
folder=${KONG_TS_FOLDER:-/run/kong-ts}
for plugin in "$@"; do
  /usr/local/bin/kong-ts dump "$plugin" > "$folder/.dump.$$"
  name=$(/usr/local/bin/node -e 'process.stdout.write(JSON.parse(require("fs").readFileSync(process.argv[1])).Plugins[0].Name)' "$folder/.dump.$$")
  # A rename, so that a Kong that starts right now reads the old dump or the new one, never half of one.
  mv "$folder/.dump.$$" "$folder/$name.json"
done
# Of two --data-dir the last one counts, so that one among the options wins.
set -f
# shellcheck disable=SC2086 # options are words
exec /usr/local/bin/kong-ts serve "$@" --socket "$folder/kong-ts.socket" --socket "msgpack=$folder/kong-ts-msgpack.socket" --socket-mode 0666 --data-dir /var/lib/kong-ts ${KONG_TS_SERVE_OPTIONS:-}
