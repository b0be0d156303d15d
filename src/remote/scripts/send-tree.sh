#!/bin/sh
# shellcheck disable=SC2154 # w and numeric are set by the preludes, which precede this script
# The first half of a copy of a directory: writes $2 as tar to fd 3 and nothing else there. Then it reads the tree again, so
# that a change during the copy is found: "WORD sent SHA256" on stderr, or "WORD sent -" if it cannot be read any more.
# shellcheck disable=SC2086 # empty or an option
tar $numeric -cf - -C "$2" . >&3
exec 3>&-
tree_of "$2" || tree=-
printf '%s sent %s\n' "$w" "$tree"
