#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# A function that reports the state of jobs in one round trip. It starts as many processes for fifty jobs as for one.
#
# $n nonce. $1 folder of all jobs; $2 … names of jobs, or none for all of them. The processes are read before the states,
# because a process that has ended can no longer change the state.
look() {
  cd "$1" 2>/dev/null || { echo "$n item empty"; exit; }
  shift
  if [ $# = 0 ]; then set -- [a-z2-7]*; fi
  a='' f='' p=''
  for j; do
    a="$a $j/about $j/start $j/left" f="$f $j/*"
    for s in "$j"/s.running.* "$j"/s.timeout.* "$j"/s.cancel.*; do
      case $s in *'*') ;; *) p="$p /proc/${s##*.}/cmdline";; esac
    done
  done
  { read -r boot; } </proc/sys/kernel/random/boot_id
  echo "$n item node $boot $(ticks)"
  echo "$n item looked $p"
  echo "$n section processes"
  # shellcheck disable=SC2086 # names without blanks
  [ -z "$p" ] || grep -asH '' $p
  echo "$n section files"
  # shellcheck disable=SC2086
  stat -c '%s %n' $f 2>/dev/null
  echo "$n section about"
  # shellcheck disable=SC2086
  grep -asH '' $a
}
