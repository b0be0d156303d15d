#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Removes the line $1 from authorized_keys. $n nonce. Writes in place, because the file may be a link.
f=$HOME/.ssh/authorized_keys
rest=$(grep -vxF -- "$1" "$f"); [ $? -le 1 ] || exit 1
printf '%s' "$rest${rest:+
}" >"$f" && echo "$n item key removed"
