#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Starts a job that outlives this session. Runs on the node.
#
# $n nonce. $1 folder of all jobs, $2 name of the job, $3 its record in JSON (one line), $4 shell text that becomes the command,
# $5 text of job-run.sh, $6 text of kill.sh, $7 marker NAME=VALUE, $8 timer slack in ns, $9 time limit in seconds, ${10} unit of
# the output limits in bytes, ${11} inner word, ${12} free bytes that the disk must have. The folder is renamed to the name of
# the job when it is complete. From then on the state of the job is the name of a file in it (see job-run.sh). Prints "NONCE
# item started VIA", or "NONCE item failed WHY TEXT".
umask 077
failed() { echo "$n item failed $1 $2"; exit; }
jobs=$1 job=$2
d=$jobs/$job t=$jobs/.$job
err=$(mkdir -p "$jobs" 2>&1) || failed unwritable "$err"
chmod 700 "$jobs"
expire "$jobs"
set -f
# shellcheck disable=SC2046 # split into fields
[ "$(set -- $(df -kP "$jobs" 2>/dev/null | tail -n 1); echo "${4:-0}")" -ge $((${12} / 1024)) ] || failed full
set +f
{
  mkdir "$t" && printf '%s\n' "$3" >"$t/about" && printf '%s\n' "$4" >"$t/command" && printf '%s\n' "$5" >"$t/run" &&
    printf '%s\n' "$6" >"$t/kill" && read -r boot </proc/sys/kernel/random/boot_id && since=$(ticks) &&
    printf '%s %s %s\n' "$boot" "$since" "$(date +%s)" >"$t/start" &&
    : >"$t/s.starting" && : >"$t/o.out.open" && : >"$t/o.err.open" && : >"$t/l.no" && mkfifo -m 622 "$t/p.out" "$t/p.err"
} 2>/dev/null || { rm -rf "$t"; failed unwritable "cannot write to $jobs"; }
mv "$t" "$d" || { rm -rf "$t"; failed unwritable "cannot write to $jobs"; }
export HOME PATH
export USER="${USER:-root}"
export LOGNAME="${LOGNAME:-$USER}"
set -- /bin/sh "$d/run" "$d" "$7" "$8" "$since" "$9" "${10}" "${11}"
via=
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
  # systemd forgets a unit that has ended, so the job records its end itself. By default, systemd makes units ignore SIGPIPE.
  systemd-run -q --collect --unit="proxmox-mcp-job-$job" --description="proxmox-mcp job $job" \
    -p KillMode=control-group -p TimeoutStopSec=20 -p IgnoreSIGPIPE=no -p UMask=077 -p StandardOutput=null \
    -p StandardError=null -p ExecStopPost="-$* stop" -E HOME="$HOME" -E PATH="$PATH" -E USER="$USER" \
    -E LOGNAME="$LOGNAME" -- "$@" </dev/null >/dev/null 2>&1 && via=systemd
fi
# If both start, the first one that renames the state runs the command.
if [ -z "$via" ]; then
  via=setsid
  # The setsid of busybox does not have -f.
  setsid -f "$@" </dev/null >/dev/null 2>&1 4>&- || (setsid "$@" </dev/null >/dev/null 2>&1 4>&- &)
fi
i=0
while [ -e "$d/s.starting" ] && [ "$i" -lt 100 ]; do i=$((i+1)); sleep 0.02 || sleep 1; done
echo "$n item started $via"
