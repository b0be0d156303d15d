#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Finds the processes of the node and its containers whose argument 0 is a word, and prints "NONCE section PID" with the cgroup
# of each as reported by the kernel. $n nonce, $1 the word. "NONCE item end" means that the search is complete.
(
  cd /proc || exit
  # Anchored, because grep itself has the word as another argument. Uses xargs, because there may be more processes than a
  # command line can hold. xargs exits with 123 if grep finds nothing or a process has ended, and with more if grep cannot run.
  found=$(printf '%s\n' [0-9]*/cmdline | xargs grep -sla -- "^$1")
  [ $? -le 123 ] || exit
  for f in $found; do
    p=${f%/cmdline}
    echo "$n section $p"
    cat "$p/cgroup" || exit
  done
  echo "$n item end"
)
