#!/bin/sh
# shellcheck disable=SC2154 # w and numeric are set by the preludes, which precede this script
# The first half of a copy of a directory: writes $2 as tar to fd 3 and nothing else there. Then it reads the tree again, so
# that a change during the copy is found: "WORD sent TREE RIGHTS" on stderr, or "WORD sent -" if it cannot be read any more.
# $3 1 if the target removes set-user-ID and set-group-ID bits of files.
# shellcheck disable=SC2086 # empty or an option
tar $numeric -cf - -C "$2" . >&3
exec 3>&-
tree_of "$2" "$3" || tree=- rights=-
printf '%s sent %s %s\n' "$w" "$tree" "$rights"
