#!/bin/sh
# shellcheck disable=SC2154 # w, path and numeric are set by the preludes, which precede this script
# Reports what a copy of a directory would send: a tar stream, which is generated once and discarded to find its size.
#
# $2 path. "WORD ready SIZE MODE UID:GID ENTRIES - -", the path with symlinks resolved as data.
[ -e "$2" ] || fail SOURCE_NOT_FOUND "$2"
follow "$2" || fail SOURCE_NOT_FOUND "$2"
[ -d "$path" ] || fail NOT_A_DIRECTORY "$path"
resolve_dir "$path" || fail IO "$path: cannot be entered"
case $path/ in /proc/*|/sys/*) fail PSEUDO_FILE "$path";; esac
special=$(find "$path" ! -type f ! -type d ! -type l | head -n 1)
[ -z "$special" ] || fail SPECIAL_FILE "$special"
# shellcheck disable=SC2015 # refuses if a command before || fails
mode=$(mode_of "$path") && own=$(owner_of "$path") || fail IO "$path: cannot read its owner"
# Many programs cannot remove such a copy.
deep=$(find "$path" 2>&1 | wc -L 2>/dev/null)
[ "${deep:-0}" -le 3500 ] || fail TOO_DEEP "$path"
entries=$(find "$path" | wc -l)
# The messages of tar, then the size in the last line.
# shellcheck disable=SC2086 # empty or an option
said=$( { tar $numeric -cf - -C "$path" . 2>&3 | wc -c; } 3>&1)
size=${said##*"$nl"}
# Others are no errors, such as that a file changed: the copy is compared.
err=$(printf '%s\n' "$said" | grep -E 'Permission denied|not permitted|[Ii]nput/output error|name too long' | head -n 1)
[ -z "$err" ] || fail IO "$err"
printf '%s ready %s %s %s %s - -\n' "$w" "$((size))" "$mode" "$own" "$((entries))"
send_text "$path"
