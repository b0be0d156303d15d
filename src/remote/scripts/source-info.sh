#!/bin/sh
# shellcheck disable=SC2154 # w and path are set by transfer-prelude.sh, which precedes this script
# Reports what a copy of a file would send.
#
# $2 path. "WORD ready SIZE MODE UID:GID LINKS USER GROUP HOLES", the path with symlinks resolved as data.
[ -e "$2" ] || fail SOURCE_NOT_FOUND "$2"
follow "$2" || fail SOURCE_NOT_FOUND "$2"
[ ! -d "$path" ] || fail DIRECTORY "$path"
[ -f "$path" ] || fail NOT_A_REGULAR_FILE "$path"
[ -r "$path" ] || fail IO "$path: Permission denied"
# shellcheck disable=SC2015 # refuses if a command before || fails
size=$(size_of "$path") && mode=$(mode_of "$path") && own=$(owner_of "$path") || fail IO "$path: cannot read its size"
! is_unsized "$size" || fail PSEUDO_FILE "$path"
# A swap file must keep its zeros, and lastlog its holes.
holes=0; [ $(($(stat -c '%b * %B' "$path" 2>/dev/null || echo "$size"))) -ge "$size" ] || holes=1
printf '%s ready %s %s %s 1 - - %s\n' "$w" "$size" "$mode" "$own" "$holes"
send_text "$path"
