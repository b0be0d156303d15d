#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Sends the lines of a job's output that contain a text, each with the lines around it, so that a secret of several lines is
# complete.
#
# $n nonce. $1 folder of all jobs, $2 name of the job, $3 stream (out, err), $4 the text, $5 maximum number of bytes: the last ones.
(look "$1" "$2")
cd "$1/$2" 2>/dev/null || exit 0
echo "$n section match"
for f in "$3".*; do echo "${f#"$3".}"; done | sort -n | while read -r o; do
  cat "$3.$o" 2>/dev/null
done | grep -aiF -C 60 -e "$4" | tail -c "$5"
echo
echo "$n item complete"
