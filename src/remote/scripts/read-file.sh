#!/bin/sh
# shellcheck disable=SC2154 # w, path, nl and digest are set by transfer-prelude.sh, which precedes this script
# Sends a part of a file on stdout, and the digest of the whole file.
#
# $2 path, $3 "line" or "byte", $4 where the part begins: line 1 or byte 0 is the first, a negative number counts from the end;
# $5 the most bytes of the part, $6 the most bytes to send before it, $7 the size above which the whole file is not read.
# "WORD ready SIZE MODE UID:GID LINKS USER GROUP START BEFORE", the path with symlinks resolved as data, then the bytes
# from START-BEFORE on as data, then "WORD done SHA256 LINES" of the whole file, or "WORD done - -".

[ -e "$2" ] || fail SOURCE_NOT_FOUND "$2"
follow "$2" || fail SOURCE_NOT_FOUND "$2"
[ ! -d "$path" ] || fail IS_A_DIRECTORY "$path"
# Only a regular file is opened: a fifo would block.
[ -f "$path" ] || fail NOT_A_REGULAR_FILE "$path"
[ -r "$path" ] || fail IO "$path: Permission denied"
# shellcheck disable=SC2015 # refuses if either command before || fails
size=$(size_of "$path") && mode=$(mode_of "$path") && own=$(owner_of "$path") || fail IO "$path: cannot read its size"
! is_unsized "$size" || fail PSEUDO_FILE "$path"
set -f
# shellcheck disable=SC2046 # split into fields
set -- "$@" $(links_and_names_of "$path" || echo "1 - -")
set +f
links=${8:-1} user=${9:--} group=${10:--}
case $3$4 in
  byte-*) start=$((size - ${4#-}));;
  byte*) start=$4;;
  line-*)
    # The tail of busybox looks for lines in the last 960 KiB only, and sends what it has.
    found=$(tail -n "${4#-}" "$path" | wc -lc) last=$(tail -c 1 "$path" | wc -l)
    # shellcheck disable=SC2086 # split into fields
    set -- "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$links" "$user" "$group" $found
    start=$((size - ${12}))
    before=1; [ "$start" -le 0 ] || before=$(dd if="$path" bs=1 skip=$((start - 1)) count=1 2>/dev/null | wc -l)
    if [ "$start" -gt 0 ] && [ $((${11} + 1 - last)):$((before)) != "${4#-}:1" ]; then
      first=$(($(wc -l <"$path") + 1 - last - ${4#-}))
      if [ "$first" -gt 0 ]; then start=$(head -n "$first" "$path" | wc -c); else start=0; fi
    fi;;
  line1) start=0;;
  *) start=$(head -n $(($4 - 1)) "$path" | wc -c); start=$((start));;
esac
[ "$start" -ge 0 ] || start=0
[ "$start" -le "$size" ] || start=$size
before=$6; [ "$before" -le "$start" ] || before=$start
length=$5; [ "$length" -le $((size - start)) ] || length=$((size - start))
length=$((before + length)) from=$((start - before))
printf '%s ready %s %s %s %s %s %s %s %s\n' "$w" "$size" "$mode" "$own" "$links" "$user" "$group" "$start" "$before"
send_text "$path"
printf '%s data %s\n' "$w" "$length"
if [ "$length" != 0 ]; then
  if [ "$from" = 0 ]; then
    head -c "$length" "$path"
  else
    # Blocks, as not every dd can skip bytes, and not every tail skips without reading.
    dd if="$path" bs=4096 skip=$((from / 4096)) count=$(((from % 4096 + length) / 4096 + 1)) 2>/dev/null |
      tail -c "+$((from % 4096 + 1))" | head -c "$length"
  fi
fi
if [ "$size" -le "$7" ]; then
  choose_programs "$size"
  sum=$($digest <"$path") || exit 1
  lines=$(($(wc -l <"$path")))
  # A last line without a newline is a line.
  [ "$size" = 0 ] || lines=$((lines + 1 - $(tail -c 1 "$path" | wc -l)))
  printf '%s done %s %s\n' "$w" "${sum%% *}" "$lines"
else
  printf '%s done - -\n' "$w"
fi
