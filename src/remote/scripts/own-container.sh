#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Finds the processes of the node and of its containers whose argument 0 is a word, and prints "NONCE section PID" with the
# cgroup of each as the kernel tells it. $n nonce, $1 the word. "NONCE item end": the search is complete.
(
  cd /proc || exit
  # Anchored: grep itself has the word as another argument. By xargs, as a container may start more processes than one command
  # line holds. It says 123 where grep finds nothing or a process has ended meanwhile, and more where grep cannot run.
  found=$(printf '%s\n' [0-9]*/cmdline | xargs grep -sla -- "^$1")
  [ $? -le 123 ] || exit
  for f in $found; do
    p=${f%/cmdline}
    echo "$n section $p"
    cat "$p/cgroup" || exit
  done
  echo "$n item end"
)
