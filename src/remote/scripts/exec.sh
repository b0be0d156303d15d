#!/bin/sh
# Runs the user's command ($2) under a parent shell that outlives it.
#
# $1 is the nonce. First "NONCE start" goes to stdout: from then on whatever comes is the command's own.
# At the end "NONCE exit CODE" goes to both streams: what precedes it is all that the command wrote, even
# if children that it left in the background keep the streams open. The wrapper's own stderr is closed to
# the caller, so that the shell's "Killed" is not taken for output of the command; dash redirects in the
# parent unless the command stands in a subshell. A TERM sent to the process group must not take the
# reporter along; a handler (not SIG_IGN) is reset in the child.
exec 3>&1 4>&2 2>/dev/null
trap : HUP INT TERM
cd "$HOME" || cd /
printf '%s start\n' "$1" >&3
if command -v bash >/dev/null; then s=bash; else s='sh'; fi
(exec "$s" -c "$2" </dev/null >&3 2>&4 3>&- 4>&-)
c=$?
printf '%s exit %d\n' "$1" "$c" >&3
printf '%s exit %d\n' "$1" "$c" >&4
