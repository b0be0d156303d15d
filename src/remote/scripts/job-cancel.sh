#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Cancels a job: kill.sh and job-cancelled.sh follow this script.
#
# $n nonce. $1 folder of all jobs, $2 name of the job, $3 … $7 the arguments of kill.sh. Prints "NONCE item ended" if there was nothing to
# cancel, and what kill.sh prints.
cd "$1/$2" 2>/dev/null || { echo "$n item ended"; exit 0; }
shift 2
if mv s.starting "s.ended.cancelled..$(ticks)..0" 2>/dev/null; then echo "$n item found 0"; echo "$n item complete"; exit 0; fi
supervisor=
for s in s.running.* s.timeout.* s.cancel.*; do
  case $s in
    *'*') ;;
    s.running.*) supervisor=${s##*.}; mv "$s" "s.cancel.$supervisor" 2>/dev/null;;
    *) supervisor=${s##*.};;
  esac
done
if [ -z "$supervisor" ]; then echo "$n item ended"; exit 0; fi
