#!/bin/sh
# shellcheck disable=SC2154 # w, path and digest are set by transfer-prelude.sh, which precedes this script
# The first half of a copy: writes the first $3 bytes of the file $2 to fd 3 and nothing else there. Then it reads them again
# so that a change during the copy is found: "WORD sent SHA256" on stderr.
path=$2
choose_programs "$3"
[ "$3" = 0 ] || take "$3" <"$path" >&3 || exit 1
exec 3>&-
if [ "$(size_of "$path")" = "$3" ]; then sum=$($digest <"$path"); else sum=$(take "$3" <"$path" | $digest); fi
printf '%s sent %s\n' "$w" "${sum%% *}"
