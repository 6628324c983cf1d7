#!/usr/bin/env bash
# Runs a command with a Docker engine: the one that answers (DOCKER_HOST or the default socket), else one that is
# started for it in a temporary folder and ended again. That takes Linux, root and, where dockerd is not there, apt-get.
#   scripts/with-docker.sh npm run test:containers
# TERM and INT end the command first, then the engine. Exit status: the command's, or 75 where no engine can be had (the reason is the last line on standard error).
set -uo pipefail

[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARGUMENT...]" >&2; exit 2; }

# The project's own Node, as npm puts it first for its scripts: the machine's may be too old for the sources.
bin=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)/node_modules/.bin
[ ! -x "$bin/node" ] || PATH=$bin:$PATH

if command -v docker > /dev/null && timeout 20 docker info > /dev/null 2>&1; then
  exec "$@"
fi

none() {
  echo "No Docker engine: $1" >&2
  exit 75
}

[ "$(uname -s)" = Linux ] || none 'none answers, and one is started on Linux only.'
[ "$(id -u)" = 0 ] || none 'none answers, and only root can start one. Set DOCKER_HOST to one that runs.'

if ! command -v dockerd > /dev/null || ! command -v docker > /dev/null; then
  command -v apt-get > /dev/null || none 'there is no dockerd, and no apt-get to install one.'
  echo 'Installing docker.io' >&2
  export DEBIAN_FRONTEND=noninteractive
  # Nothing may start an engine by itself while the package is installed.
  install='apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 docker.io iptables'
  timeout 120 $install > /dev/null 2>&1 ||
    { timeout 120 apt-get update -qq > /dev/null 2>&1 && timeout 180 $install > /dev/null 2>&1; } ||
    none 'docker.io cannot be installed with apt-get.'
fi

folder=$(mktemp -d /tmp/kong-ts-docker.XXXXXX)
bridge=$([ -e /sys/class/net/docker0 ] && echo there || echo new)
engine=
command=

# Ends the process group of a job: TERM, and KILL for what is left after so many seconds.
finish() {
  kill -TERM -- "-$1" 2> /dev/null
  local limit=$((SECONDS + $2))
  while kill -0 -- "-$1" 2> /dev/null && [ "$SECONDS" -lt "$limit" ]; do sleep 0.1; done
  kill -KILL -- "-$1" 2> /dev/null
  wait "$1" 2> /dev/null
}

finish_engine() {
  finish "$engine" 20
  # It has a process group of its own, and outlives an engine that had to be killed.
  local containerd=$folder/exec/containerd/containerd.pid
  [ ! -s "$containerd" ] || kill -KILL "$(cat "$containerd")" 2> /dev/null
  engine=
}

# Ends what has been started here: the command, containers, the engine, its mounts, its bridge, its folder.
end() {
  trap - EXIT
  # Once more changes nothing.
  trap : TERM INT
  [ -z "$command" ] || finish "$command" 20
  if [ -n "$engine" ]; then
    left=$(timeout 20 docker ps -aq 2> /dev/null)
    # shellcheck disable=SC2086 # ids are words
    [ -z "$left" ] || timeout 60 docker rm -f $left > /dev/null 2>&1
    finish_engine
  fi
  grep -o "$folder[^ ]*" /proc/self/mounts | sort -ru | while read -r mount; do umount -l "$mount" 2> /dev/null; done
  if [ "$bridge" = new ] && command -v ip > /dev/null; then ip link delete docker0 2> /dev/null; fi
  rm -rf "$folder"
}
trap end EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

start() {
  # Jobs have process groups of their own: Ctrl-C ends them in order, not all at once.
  set -m
  dockerd --data-root "$folder/data" --exec-root "$folder/exec" -H "unix://$folder/docker.sock" -p "$folder/pid" \
    "$@" > "$folder/log" 2>&1 &
  engine=$!
  set +m
  local limit=$((SECONDS + 60))
  while [ "$SECONDS" -lt "$limit" ]; do
    timeout 5 docker info > /dev/null 2>&1 && return 0
    kill -0 "$engine" 2> /dev/null || break
    sleep 0.2
  done
  finish_engine
  return 1
}

export DOCKER_HOST="unix://$folder/docker.sock"
# The driver that the engine chooses, else the one that works on every file system.
start || start --storage-driver=vfs || none "dockerd does not start: $(grep -v 'level=info' "$folder/log" | tail -n 1)"

# In the background and waited for, so that a signal is obeyed at once.
set -m
"$@" < /dev/null &
command=$!
set +m
wait "$command"
status=$?
command=
exit "$status"
