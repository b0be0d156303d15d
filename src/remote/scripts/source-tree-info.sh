#!/bin/sh
# shellcheck disable=SC2154 # w, path and numeric are set by the preludes, which precede this script
# Reports what a copy of a directory would send: a tar stream, which is generated once and discarded to find its size.
#
# $2 path. "WORD ready SIZE MODE UID:GID ENTRIES - -", the path with symlinks resolved as data.
[ -e "$2" ] || fail SOURCE_NOT_FOUND "$2"
follow "$2" || fail SOURCE_NOT_FOUND "$2"
[ -d "$path" ] || fail NOT_A_DIRECTORY "$path"
resolve_dir "$path" || fail IO "$path: cannot be entered"
special=$(find "$path" ! -type f ! -type d ! -type l | head -n 1)
[ -z "$special" ] || fail SPECIAL_FILE "$special"
# shellcheck disable=SC2015 # refuses if a command before || fails
mode=$(mode_of "$path") && own=$(owner_of "$path") || fail IO "$path: cannot read its owner"
entries=$(find "$path" | wc -l)
# shellcheck disable=SC2086 # empty or an option
size=$(tar $numeric -cf - -C "$path" . | wc -c)
printf '%s ready %s %s %s %s - -\n' "$w" "$((size))" "$mode" "$own" "$((entries))"
send_text "$path"
