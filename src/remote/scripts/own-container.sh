#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Finds the processes of the node and of its containers whose argument 0 is a word, and prints "NONCE section PID" with the
# cgroup of each as the kernel tells it. $n nonce, $1 the word. "NONCE item end": the search is complete.
(
  cd /proc || exit
  # Anchored: grep itself has the word as another argument. It says 1 for nothing, 2 where a process has ended meanwhile.
  found=$(grep -sla -- "^$1" [0-9]*/cmdline)
  [ $? -le 2 ] || exit
  for f in $found; do
    p=${f%/cmdline}
    echo "$n section $p"
    cat "$p/cgroup" || exit
  done
  echo "$n item end"
)
