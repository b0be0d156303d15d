#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Claims the start of a request, so that a request whose connection was lost either starts or is withdrawn, never both. The
# request claims it before anything else. After a lost connection, the server claims it in a new session; if it succeeds, the
# request has not started and never will.
#
# $n nonce. $1 directory of the claims, $2 name of the claim, $3 the boot ID of the request; empty in the request itself.
# Code 0: claimed now. 97: claimed before. 98: the node was restarted, which removes all claims. If no claim can be written,
# prints "NONCE refused unclaimed". Shell builtins only, because a new process takes longer than the rest of the request.
[ -z "$3" ] || [ "$(cat /proc/sys/kernel/random/boot_id)" = "$3" ] || exit 98
set -C
{ :; } >"$1/$2" || {
  [ ! -e "$1/$2" ] || exit 97
  (umask 077; mkdir -p "$1")
  { :; } >"$1/$2" || { [ ! -e "$1/$2" ] || exit 97; echo "$n refused unclaimed"; exit 96; }
}
set +C
