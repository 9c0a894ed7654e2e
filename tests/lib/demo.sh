#!/bin/sh
# The night's sweep in three minutes: a daemon of its own, the shipped sweep on Fashion-MNIST,
# live progress, the best runs. usage: demo.sh BUILD_DIR
set -eu
build=$1
ctl=$build/client/sweepctl
state=${XDG_STATE_HOME:-$HOME/.local/state}/sweepd-demo
mkdir -p "$state"
chmod 700 "$state"
db=$state/demo.db
socket=$state/demo.sock
rm -rf "$db" "$db"-* "$db".* # its mark too: ids begin at 1 again

export SWEEPD_DB="$db" SWEEPD_SOCKET="$socket"
"$build/daemon/sweepd" 2>"$state/demo.log" &
daemon=$!
trap 'kill "$daemon" 2>/dev/null || true; wait "$daemon" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
until grep -qs 'ready' "$state/demo.log"; do
    kill -0 "$daemon" 2>/dev/null || { cat "$state/demo.log" >&2; exit 1; }
    sleep 0.05
done

"$ctl" submit docs/examples/fashion.json --watch
