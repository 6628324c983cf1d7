#!/bin/sh
# Absolute on purpose: Kong runs plugin server commands with a short PATH.
exec /usr/local/bin/node /usr/local/lib/kong-ts/node_modules/kong-ts/bin/kong-ts.js "$@"
