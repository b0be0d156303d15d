#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Reports how much of its limits a container or the login on the node uses. $n nonce, $1 the VMID, or empty for the login.
#
# Prints "NONCE item pids USED LIMIT" for each limit of processes, and "NONCE item killed COUNT LIMIT" with the number of processes
# that the kernel has killed because the memory limit was reached. Shell builtins only: the node may not be able to start a
# program, which is why this script is run.
cg=/sys/fs/cgroup proc=/proc
value() { x=''; [ ! -r "$1" ] || read -r x <"$1"; }
pids() {
  value "$1/pids.max"; m=$x
  value "$1/pids.current"
  case $m:$x in :* | *: | *[!0-9:]*) ;; *) echo "$n item pids $x $m";; esac
}
killed() {
  [ -r "$1/$2" ] || return 0
  value "$1/$3"; m=$x
  while read -r k x; do
    [ "$k" != oom_kill ] || echo "$n item killed $x $m"
  done <"$1/$2"
}
if [ -n "$1" ]; then
  pids "$cg/lxc/$1"
  pids "$cg/pids/lxc/$1"
  killed "$cg/lxc/$1" memory.events memory.max
  killed "$cg/memory/lxc/$1" memory.oom_control memory.limit_in_bytes
else
  while IFS=: read -r x c p; do
    case $c in '') d=$cg;; pids) d=$cg/pids;; *) continue;; esac
    while :; do
      pids "$d${p%/}"
      case $p in */*) p=${p%/*};; *) break;; esac
    done
  done <"$proc/self/cgroup"
  { read -r x x x c x; } <"$proc/loadavg"
  for p in pid_max threads-max; do
    value "$proc/sys/kernel/$p"
    echo "$n item pids ${c#*/} $x"
  done
fi
echo "$n item end"
