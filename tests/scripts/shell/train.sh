#!/bin/sh
# Newton's method for a square root, damped.
set -e
damping=1 start=1
for word; do
    case "$word" in
    --damping=*) damping=${word#*=} ;;
    --start=*) start=${word#*=} ;;
    *) echo "usage: train.sh [--damping=D] [--start=X]" >&2; exit 2 ;;
    esac
done
echo "damping=$damping start=$start" >&2
awk -v d="$damping" -v x="$start" 'BEGIN {
    for (i = 1; i <= 6; i++) {
        x = x - d * (x * x - 2) / (2 * x)
        e = x * x - 2; if (e < 0) e = -e
        printf "epoch=%d residual=%.6g x=%.6g\n", i, e, x
    }
}'
