#!/bin/sh
# shellcheck disable=SC2154 # n and supervisor are set before, live by kill.sh
# Waits up to five seconds until the supervisor of the job has recorded the end, and otherwise records it. $live are the
# survivors.
for p in $live; do
  c=; { read -r c <"/proc/$p/comm"; } 2>/dev/null
  echo "$p $c"
done >left 2>/dev/null
i=0
while [ -d "/proc/$supervisor" ] && [ "$i" -lt 100 ]; do
  for s in s.ended.*; do [ ! -e "$s" ] || i=100; done
  i=$((i+1)); [ "$i" -gt 100 ] || wait_a_bit
done
# shellcheck disable=SC2086 # split into PIDs
set -- $live
mv s.cancel.* "s.ended.cancelled..$(ticks)..$#" 2>/dev/null
echo "$n item complete"
