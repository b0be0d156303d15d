#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Inspects several containers of the node at the same time. Changes nothing in them.
#
# $n nonce. $1 NAME=VALUE of the marker and $2 timer slack of everything that it starts, so that the caller can kill what is
# left. $3 seconds for the script in a container, $4 seconds after which no further container is begun, $5 how many at a time,
# $6 the script for the container, $7 its inner word. Then for each container its VMID, its sections separated by spaces, the
# number of the arguments of its precondition, and these arguments. The function check is the precondition script;
# network-tables.sh precedes this script.
#
# Prints "NONCE item uptime SECONDS" and "NONCE item time SECONDS" first and "NONCE item end" last. Between them are lines
# "VMID FACT TEXT" in any order. TEXT is a word of this script or base64, and ". LIMIT" ends a fact in base64, which was cut if it
# has LIMIT bytes. So nothing that a container prints, and no name in it, can look like a fact about another container. Lines of
# this size are never mixed in the pipe to sed. The output of a container has a pipe of its own: the session's stdout is closed
# there. "VMID end" comes last of a container; without it, or without the exit code "FACT-code" of a fact that has one, processes
# may be left.
{ read -r u x; } </proc/uptime
echo "$n item uptime $u"
echo "$n item time $(date +%s)"
begun=${u%%.*} mark=$1 slack=$2 limit=$3 longest=$4 most=$5 guest=$6 word=$7
shift 7
cg=/sys/fs/cgroup proc=/proc
say() { echo "$v $*"; }
# Sends stdin as the fact $1, cut after $2 bytes.
send() {
  for l in $(head -c "$2" | base64 -w 2000); do say "$1" "$l"; done
  say "$1" ". $2"
}
# Sends what $3... prints as the fact $1, with its exit code. A read may hang in the kernel, for example on a file system whose
# server does not answer, so that not even SIGKILL ends it. It is then left behind.
bounded() {
  fact=$1 bytes=$2
  shift 2
  { { "$@"; say "$fact-code" "$?" >&3; } & } | timeout -k 1 7 cat | send "$fact" "$bytes"
}
wants() { case " $sections " in *" $1 "*) ;; *) return 1;; esac; }
# The PIDs of the container's processes, as the kernel lists them.
pids() { find "$base" -name cgroup.procs -exec cat '{}' + | sort -un; }
# Prints $1 for each process of the container, with its PID in place of %s.
each_process() {
  # shellcheck disable=SC2046 # split into PIDs
  set -- "$1" $(pids | head -n 4096)
  # Without PIDs, the path would be one of the node's own.
  # shellcheck disable=SC2059 # the format is ours
  [ $# -eq 1 ] || printf "$@"
}
processes() {
  cat $proc/uptime
  each_process "$proc/%s/stat\n" | xargs cat
}
memory() {
  grep -asH '' "$cg/lxc/$v/memory.current" "$cg/lxc/$v/memory.max" "$cg/lxc/$v/memory.swap.current" \
    "$cg/lxc/$v/memory.swap.max" "$cg/lxc/$v/memory.events" "$cg/memory/lxc/$v/memory.usage_in_bytes" \
    "$cg/memory/lxc/$v/memory.limit_in_bytes" "$cg/memory/lxc/$v/memory.oom_control"
  grep -asHE '^(file|total_cache) ' "$cg/lxc/$v/memory.stat" "$cg/memory/lxc/$v/memory.stat"
}
# The processes with most memory of their own, and their names.
top_memory() {
  top=$(each_process "$proc/%s/status\n" | xargs grep -sH '^RssAnon:' | sort -rnk 2 | head -n 3)
  [ -n "$top" ] || return 0
  echo "$top"
  echo "$top" | sed 's|/status:.*|/comm|' | xargs grep -sH ''
}
# The kernel's tables of the container's network: addresses, TCP sockets that listen, UDP sockets without a peer. There may be
# more sockets than fit. The heading of the TCP sockets tells that there are none from a table that was not read.
network() {
  echo "$proc/$pid/net" | tables 250
  grep -asHE '^ *(sl|[0-9]+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:[0-9A-F]+ 0A) ' $proc/"$pid"/net/tcp $proc/"$pid"/net/tcp6
  grep -asHE '^ *[0-9]+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:0000 07 ' $proc/"$pid"/net/udp $proc/"$pid"/net/udp6
}
# Open files by process, as ls prints links. ls escapes a newline in a name, and what precedes the first slash has none.
open_files() {
  each_process "$proc/%s/fd\n" | xargs sh -c 'exec find "$@" -type l -exec ls -lbdn "{}" +' sh | grep -aE "$1" |
    sed 's|^[^/]*||' | head -n 5000
}
deleted() { open_files ' -> /.* \(deleted\)$' | grep -avE '^[^>]*-> /(memfd:|dev/|SYSV|proc/)'; }
# Only what precedes the first " -> " is taken as a path.
deleted_sizes() { deleted | sed 's| -> .*||' | timeout -s KILL 5 xargs stat -L -c '%n %s %d:%i'; }
# The largest first, because only so many are sent.
usage() {
  {
    code=$({ { nice -n 19 timeout -s KILL 6 du -x -k -t 10M -0 "$1" "$proc/$pid/root/" 4>&-; echo $? >&4; } | sort -rnz >&5; } 4>&1)
  } 5>&1
  return "$code"
}
# Programs and libraries that a process uses and that were replaced on the disk.
stale() {
  each_process "$proc/%s/maps\n" | timeout -s KILL 5 xargs grep -slE ' r-xp .* /(usr|lib|lib64|bin|sbin|opt)/.* \(deleted\)$'
}
commands() { each_process "$proc/%s/cmdline\n" | timeout -s KILL 5 xargs head -v -c 200; }
# A process that outlives the timeout would keep the pipe open, so cat has a limit, too. In a separate session, leftover
# processes do not share the session of the shell that later runs the kill script. stdin is not /dev/null, whose mode lxc-attach
# would change if the container has replaced its own.
inside() {
  {
    setsid timeout -k 1 "$limit" lxc-attach -n "$v" --clear-env \
      -v PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin -v HOME=/root -v LANG=C.UTF-8 -v TERM=dumb \
      -v "$mark" -- /bin/sh -c "$guest" sh "$word" "$sections" 2>&1 3>&- <<E
E
    say code "$?" >&3
  } | timeout -k 1 "$((limit + 2))" cat | send container 262144
}
inspect() {
  if [ $# -gt 0 ]; then
    # shellcheck disable=SC2015 # a check that ends in any other manner has not passed
    why=$(check "$@") || { say refused "${why##* }"; return; }
  fi
  # For two values it prints their names even with -H.
  # shellcheck disable=SC2046 # split into state and PID
  set -- $(timeout -k 1 3 lxc-info -n "$v" -s -p -H | sed 's/^[A-Za-z]*: *//')
  pid=$2
  case $pid in '' | *[!0-9]*) say state "${1:-unknown}"; return;; esac
  say state "$1" "$pid"
  base=$cg/lxc/$v
  for d in "$cg/pids/lxc/$v" "$cg/memory/lxc/$v" "$cg/systemd/lxc/$v"; do [ -d "$base" ] || base=$d; done
  say pids "$(pids | wc -l)"
  cat "$proc/$pid/stat" $proc/uptime | send init 4096
  if wants processes; then processes | send before 1000000; fi
  if wants memory; then
    memory | send memory 16384
    top_memory | send top 4096
  fi
  if wants network; then
    network | send network 300000
    bounded sockets 400000 open_files ' -> socket:\[[0-9]+\]$'
  fi
  if wants network || wants processes || wants usage; then each_process "$proc/%s/comm\n" | xargs grep -sH '' | send names 200000; fi
  if [ "$1" = RUNNING ]; then
    case " $sections " in *" system "* | *" disk "* | *" services "* | *" updates "* | *" logs "*) inside;; esac
  fi
  if wants processes; then
    sleep 0.5
    processes | send after 1000000
    bounded commands 400000 commands
  fi
  if wants updates; then bounded stale 50000 stale; fi
  if wants usage; then
    bounded deleted 100000 deleted
    bounded sizes 60000 deleted_sizes
    bounded directories 200000 usage -c
    bounded files 200000 usage -a
  fi
  say end
}
# Waits until fewer than $1 containers are being inspected. One that takes too long is left behind. A shell cannot wait for the
# first of several children.
await() {
  while :; do
    { read -r u x; } </proc/uptime
    left='' i=0
    for p in $running; do
      if [ "$((${u%%.*} - ${p#*:}))" -lt "$((limit + 45))" ] && kill -0 "${p%:*}"; then left="$left $p" i=$((i + 1)); fi
    done
    running=$left
    [ "$i" -ge "$1" ] || break
    sleep 0.02
  done
}
(
  exec 2>/dev/null
  echo "$slack" >/proc/self/timerslack_ns
  export "${mark?}"
  exec 3>&1
  running=
  while [ $# -gt 0 ]; do
    v=$1 sections=$2 count=$3
    shift 3
    # shellcheck disable=SC2034 # x is not used
    { read -r u x; } </proc/uptime
    if [ "$((${u%%.*} - begun))" -ge "$longest" ]; then
      say skipped
      shift "$count"
      continue
    fi
    args=
    i=0
    while [ "$i" -lt "$count" ]; do
      i=$((i + 1))
      args="$args \"\${$i}\""
    done
    eval "inspect $args &"
    running="$running $!:${u%%.*}"
    shift "$count"
    await "$most"
  done
  await 1
  echo "$n item end"
  # Processes that were left behind keep the pipe open.
) </dev/null | sed "/^$n item end\$/q"
