#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Kills all processes of one run, and reports the survivors. Runs as root on the node, which sees the processes of its
# containers.
#
# $n nonce. $1 NAME=VALUE of the marker, $2 timer slack in ns, $3 number of scans (20 per second) between TERM and KILL, $4
# number of scans for KILL, $5 clock ticks since boot at the start of the run. On a loaded node a scan takes longer, so there
# are fewer scans in the same time. Prints "NONCE item found N", and "NONCE item left PID NAME" for each survivor.
#
# A process belongs to the run if
#   1. its environment contains the marker, or
#   2. it has the run's timer slack and is not older than the run, or
#   3. it is a child of a process of the run, or shares the session of one. A session with a process that is older than the run
#      is excluded, because it belongs to other work.
# A scan applies rule 3 until it finds no further process. Each scan starts from the beginning, and two consecutive scans must
# find nothing, because a process may fork during a scan. TERM is sent once to each process, because a second one makes some
# programs abort their cleanup.
#
# A process that forks and ends within a millisecond, again and again, has another PID whenever it is signaled, and most scans miss
# it. So KILL is also sent to the process groups of the run that have no older member. If a scan has found an unknown process that had
# ended already, or the node starts many processes, fifteen scans must find nothing. The script ends with 1 if they do not, or if it cannot
# read the processes. It uses xargs, because there may be more processes than a command line can hold.
mark=$1 slack=$2 soft=$3 hard=$4 since=$5
nl='
'
# Rule 1. busybox's grep stops at a NUL, so environments are translated first there.
if [ "$(printf 'a\0b' | grep -caF b 2>/dev/null)" = 1 ]; then
  marked() { printf '%s\n' /proc/[0-9]*/environ | xargs grep -slaF -- "$mark"; }
else
  marked() {
    for f in /proc/[0-9]*/environ; do
      if tr '\0' '\n' <"$f" | grep -qF -- "$mark"; then echo "$f"; fi
    done 2>/dev/null
  }
fi
# Sets $live to the PIDs of the run, and $run to these and those of processes that have ended meanwhile, with a blank before and after
# each, as in all lists here. Sets $others to the process groups of older processes, and adds those of the run to $groups.
scan() {
  run=' ' slow=' ' sessions=' ' live=' '
  for f in $(marked); do
    p=${f#/proc/}; run="$run${p%/environ} "
  done
  for f in $(printf '%s\n' /proc/[0-9]*/timerslack_ns | xargs grep -slx -- "$slack"); do
    p=${f#/proc/}; slow="$slow${p%/timerslack_ns} "
  done
  read_processes
  more=1
  while [ "$more" = 1 ]; do more=0; find_more; done
  IFS=$nl
  for s in $processes; do
    p=${s%% *} g=${s##* }
    case $run in
      *" $p "*) live="$live$p "; case $groups in *" $g "*) ;; *) groups="$groups$g ";; esac;;
      *) s=${s% *}; [ "${s##* }" -ge "$since" ] || others="$others$g ";;
    esac
  done
  IFS=" $nl"
  set +f
}
# Sets $processes to lines "PID PARENT SESSION START GROUP", $others to the group of this script, and $old to its session and those
# with a process that is older than the run. Uses cat, because dash's read makes a system call per byte.
read_processes() {
  processes='' old=' ' found=
  stats=$(printf '%s\n' /proc/[0-9]*/stat | xargs cat 2>/dev/null)
  set -f
  IFS=$nl
  for s in $stats; do
    p=${s%% *}
    IFS=' '
    # shellcheck disable=SC2086 # split into the fields of the stat line
    set -- ${s##*) }
    # A script of the run may have left processes in the session in which this one runs.
    [ "$p" != "$$" ] || { found=1 old="$old$4 " others=" $3 "; continue; }
    # shellcheck disable=SC2015 # continues if either condition fails
    [ "$1" != Z ] && [ "$1" != X ] || continue
    processes="$processes$p $2 $4 ${20} $3$nl"
    [ "${20}" -ge "$since" ] || old="$old$4 "
  done
  [ -n "$found" ] || exit 1
}
# Applies rules 2 and 3 once to each process: adds to $run and to $sessions, and sets more=1 if it has added something.
find_more() {
  IFS=$nl
  for s in $processes; do
    IFS=' '
    # shellcheck disable=SC2086 # split into PID, parent, session and start time
    set -- $s
    case $run in *" $1 "*) member=known;; *" $2 "*) member=new;; *) member=no;; esac
    if [ "$member" = no ]; then
      case $sessions in *" $3 "*) member=new;; esac
      case $slow in *" $1 "*) if [ "$4" -ge "$since" ]; then member=new; fi;; esac
    fi
    case $member in no) continue;; new) run="$run$1 " more=1;; esac
    # The sessions 0 and 1 are those of the kernel and of init.
    case $sessions$old in *" $3 "*) ;; *) [ "$3" -le 1 ] || { sessions="$sessions$3 " more=1; };; esac
  done
}
wait_a_bit() { sleep 0.05 2>/dev/null || sleep 1; }
# The time in ticks of 1/100 s, in $t.
now() { { read -r t s; } </proc/uptime; t=${t%.*}${t#*.}; }
# The last PID that was given, in $f.
last_pid() { { read -r s s s s f; } </proc/loadavg; }
groups=' '
scan
# shellcheck disable=SC2086 # split into PIDs
set -- $live; echo "$n item found $#"
i=0 signaled=' '
now; end=$((t + 5 * soft))
while [ "$live" != ' ' ] && [ "$i" -lt "$soft" ] && [ "$t" -le "$end" ]; do
  for p in $live; do
    case $signaled in *" $p "*) ;; *) kill -TERM "$p"; kill -CONT "$p"; signaled="$signaled$p ";; esac
  done 2>/dev/null
  wait_a_bit; i=$((i+1)); scan; now
done
i=0 clean=0 need=2 missed='' known=$signaled
now; end=$((t + 5 * hard))
# At least three scans, however long they take: one that kills, and two that find nothing.
while [ "$i" -lt "$hard" ] && { [ "$i" -lt 3 ] || [ "$t" -le "$end" ]; }; do
  # The groups 0 and 1 are those of the kernel and of init.
  for g in $groups; do
    case $others in *" $g "*) ;; *) [ "$g" -le 1 ] || kill -KILL "-$g";; esac
  done 2>/dev/null
  if [ "$run" = ' ' ]; then
    clean=$((clean+1)); [ "$clean" -lt "$need" ] || break
  else
    clean=0
    if [ "$live" != ' ' ]; then
      # shellcheck disable=SC2086 # split into PIDs
      kill -KILL $live 2>/dev/null
    elif [ -z "$missed" ]; then
      for p in $run; do
        case $known in *" $p "*) ;; *) missed=1;; esac
      done
      # There is no time for that if few scans are allowed.
      [ -z "$missed" ] || [ "$hard" -lt 40 ] || hard=$((i + 60)) end=$((t + 500)) need=15
    fi
    known="$known$live"
  fi
  before=$t; last_pid; pid=$f
  wait_a_bit; i=$((i+1)); scan; now; last_pid
  # More than 200 in a second, without those of a scan.
  [ "$hard" -lt 40 ] || [ $((f - pid)) -lt $((20 + 2 * (t - before))) ] || need=15
done
for p in $live; do
  c=; { read -r c <"/proc/$p/comm"; } 2>/dev/null
  echo "$n item left $p $c"
done
[ -z "$missed" ] || [ "$live" != ' ' ] || [ "$clean" -ge "$need" ] || exit 1
