#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Reports the state of one job, and sends parts of its output.
#
# $n nonce. $1 folder of all jobs, $2 name of the job; then for each part STREAM FROM COUNT: the stream (out, err), the offset in
# bytes of the first byte, or -N for the last N bytes, and the maximum number of bytes. Each part is sent as sections
# "STREAM:OFFSET" with the bytes that are kept.
(look "$1" "$2")
cd "$1/$2" 2>/dev/null || exit 0
shift 2
while [ $# -gt 2 ]; do
  s=$1 from=$2 count=$3
  shift 3
  # "OFFSET SIZE" of each file, in order; a file that is being removed has none.
  set -f
  IFS='
'
  # shellcheck disable=SC2046 # one argument a line
  parts=$(
    IFS=' '
    set +f
    for f in "$s".*; do
      z=$(stat -c %s "$f" 2>/dev/null) && echo "${f#"$s".} $z"
    done | sort -n
  )
  case $from in
    -*) l=${parts##*"$IFS"}; from=$((${l% *} + ${l#* } + from)); [ "$from" -ge 0 ] || from=0;;
  esac
  for l in $parts; do
    o=${l% *} z=${l#* }
    # shellcheck disable=SC2015 # continue cannot fail
    [ $((o+z)) -gt "$from" ] && [ "$o" -lt $((from+count)) ] || continue
    k=$((from > o ? from - o : 0))
    m=$((from + count - o - k))
    echo "$n section $s:$((o+k))"
    dd if="$s.$o" bs=65536 iflag=skip_bytes,count_bytes skip="$k" count="$m" 2>/dev/null
  done
  IFS=' 	
'
  set +f
done
echo
echo "$n item complete"
