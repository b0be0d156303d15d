#!/bin/sh
# Runs the command of one job, keeps its output and records its end. Runs on the node, without a terminal and without a server.
#
# $1 folder of the job, $2 marker NAME=VALUE, $3 timer slack in ns, $4 clock ticks since boot, not later than the start, $5 time
# limit in seconds, $6 unit of the output limits in bytes, $7 inner word, $8 "stop" after the unit was stopped.
#
# The folder of the job describes its state by the names of files, because a rename is atomic and needs no space on a full disk.
# There is one file s.*:
#   s.starting                        this script has not begun
#   s.running.PID                     the command runs; PID is that of this script
#   s.timeout.PID, s.cancel.PID       the command is being killed
#   s.ended.WHY.CODE.TICKS.FLAGS.LEFT
# WHY is exit, timeout, cancelled or stopped. CODE is the exit code of lxc-attach. TICKS is the end in clock ticks since boot.
# FLAGS are letters: b (the command began), e (the wrapper in the container reported its end), h (background processes hold the
# output), d (the disk was full). LEFT is the number of processes that survived a kill, 101 if unknown; their names are in the
# file "left".
# There is one file for each stream (out, err):
#   o.STREAM.open                     the relay copies the stream to files STREAM.OFFSET
#   o.STREAM.closed                   the stream has ended
#   o.STREAM.full                     the disk is full, so the rest is only searched for the end of the command
#   o.STREAM.ended, o.STREAM.cut      the stream has ended after that, with and without the report of the wrapper
# l.no becomes l.yes when a server claims the audit entry of the end (job-claim.sh). p.out and p.err are the pipes of the command.
d=$1 mark=$2 slack=$3 since=$4 limit=$5 unit=$6 w=$7
nl='
'
exec </dev/null >/dev/null 2>&1
cd / || exit
# shellcheck disable=SC2046 # split into fields
ticks() { set -- $(cat /proc/self/stat); echo "${22}"; }
# Exits with the number of surviving processes; their names are in the file "left" if the disk has space.
kill_run() {
  (
    # shellcheck disable=SC2030,SC2034,SC1091 # the text of kill.sh, which uses n
    r=$(n=-; set -- "$mark" "$slack" "$1" "$2" "$since"; . "$d/kill") || exit 101
    case $r in *'- item found '*) ;; *) exit 101;; esac
    l=0 o=
    IFS=$nl
    for x in $r; do
      case $x in '- item left '*) l=$((l+1)) o="$o${x#- item left }$nl";; esac
    done
    [ "$l" = 0 ] || printf %s "$o" >"$d/left"
    [ "$l" -le 100 ] || l=100
    exit "$l"
  )
}
# Copies stdin to files STREAM.OFFSET: the first one keeps the head, and the last five of the others keep the tail. dd writes
# everything that it reads at once. On a full disk the rest is dropped, because the command must not wait for it.
relay() {
  s=$1 at=0 size=0 max=$((8 * unit)) b=$unit c=1
  [ "$b" -le 65536 ] || { c=$((b / 65536)); b=65536; }
  f=$d/$s.0
  set --
  while r=$(LC_ALL=C dd bs="$b" count="$c" 2>&1 >>"$f"); do
    r=${r##*"$nl"} r=${r%% *}
    case $r in 0) mv "$d/o.$s.open" "$d/o.$s.closed"; return;; '' | *[!0-9]*) break;; esac
    at=$((at+r)) size=$((size+r))
    if [ "$size" -ge "$max" ]; then
      f=$d/$s.$at size=0 max=$((3 * unit))
      set -- "$@" "$f"
      if [ $# -gt 5 ]; then rm -f "$1"; shift; fi
    fi
  done
  mv "$d/o.$s.open" "$d/o.$s.full"
  case $(tail -c 300 | tr -d '\0') in *"$w ended"*) e=ended;; *) e='cut';; esac
  mv "$d/o.$s.full" "$d/o.$s.$e"
}
timer() {
  trap 'kill "$!"; exit' TERM
  sleep "$limit" &
  wait "$!"
  # From here on TERM is ignored, so that a kill that has begun is completed.
  trap '' TERM
  mv "$d"/s.running.* "$d/s.timeout.$$" && kill_run 20 40
}
any() { for x; do [ ! -e "$x" ] || return 0; done; return 1; }
if [ "$8" = stop ]; then
  if any "$d"/s.ended.*; then exit; fi
  kill_run 4 40
  left=$?
  mv "$d"/s.* "$d/s.ended.stopped..$(ticks)..$left"
  exit
fi
mv "$d/s.starting" "$d/s.running.$$" || exit
relay out <"$d/p.out" &
relay err <"$d/p.err" &
exec 5>"$d/p.out" 6>"$d/p.err"
rm -f "$d/p.out" "$d/p.err"
timer 5>&- 6>&- &
t=$!
# The command runs in a separate session, because a kill ends the sessions of the processes that it finds. Its stdin is not
# /dev/null, whose mode lxc-attach would change if the container has replaced its own.
# shellcheck disable=SC1091 # becomes the command
(echo "$slack" >/proc/self/timerslack_ns; . "$d/command") >&5 2>&6 5>&- 6>&- <<E
E
c=$?
exec 5>&- 6>&-
kill "$t"; wait "$t"; left=$?
i=0
while any "$d"/o.*.open "$d"/o.*.full && [ "$i" -lt 100 ]; do i=$((i+1)); sleep 0.02 || sleep 1; done
f=
if grep -aqsF "$w began" "$d/out.0"; then f=b; fi
if any "$d/o.out.ended" || grep -aqsF "$w ended" "$d"/out.*; then f=${f}e; fi
if any "$d"/o.*.open "$d"/o.*.full; then f=${f}h; fi
if any "$d"/o.*.full "$d"/o.*.ended "$d"/o.*.cut; then f=${f}d; fi
if any "$d"/s.timeout.*; then why=timeout
elif any "$d"/s.cancel.*; then why=cancelled left=0
else
  why=exit left=0
  # lxc-attach or the wrapper was killed, or the container was stopped. A short search is enough if the command never began.
  case $f in *e*) ;; *b*) kill_run 20 40; left=$?;; *) kill_run 20 20; left=$?;; esac
fi
end=$c.$(ticks).$f.$left
case $why in
  timeout) mv "$d"/s.timeout.* "$d/s.ended.timeout.$end";;
  cancelled) mv "$d"/s.cancel.* "$d/s.ended.cancelled.$end";;
  *) mv "$d"/s.running.* "$d/s.ended.exit.$end" || mv "$d"/s.cancel.* "$d/s.ended.cancelled.$end";;
esac
# The relays continue as long as background processes hold the output.
wait
