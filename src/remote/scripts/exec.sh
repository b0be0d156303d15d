#!/bin/sh
# Runs the user's command ($2) under a parent shell that outlives it, and exits with its code.
#
# $1 is the inner word. "WORD began" is written to both streams before the command; earlier output comes from lxc-attach. "WORD
# ended" is written to both after it; without it, the exit code is not that of the command. The wrapper's own stderr is
# discarded, so that the shell's "Killed" does not become output of the command; dash prints it in the parent unless the command
# is in a subshell. In a privileged container, setsid protects lxc-attach from a signal to process group 0; in others, the
# kernel does, and only a KILL to that group ends this wrapper, so that the exit code is unknown. Other signals that scripts
# send must not end it, so they are trapped: unlike an ignored signal, a trap is reset in the child. The command may set
# O_NONBLOCK on the streams, so a report is repeated while they are full.
exec 3>&1 4>&2 2>/dev/null
trap : HUP INT QUIT USR1 USR2 TERM
cd "$HOME" || cd /
echo "$1 began" >&3
echo "$1 began" >&4
# The program directories of NixOS and Guix.
for d in /run/wrappers/bin /run/current-system/sw/bin /run/current-system/profile/bin; do
  [ ! -d "$d" ] || PATH=$PATH:$d
done
if command -v bash >/dev/null; then s=bash; else s='sh'; fi
p=
# shellcheck disable=SC2034 # the other fields are not used
read -r x u x </proc/self/uid_map
if [ "$u" = 0 ] && command -v setsid >/dev/null; then p=setsid; fi
(exec $p "$s" -c "$2" </dev/null >&3 2>&4 3>&- 4>&-)
c=$?
report() {
  i=0
  until echo "$1 ended" >&"$2" || [ "$i" -gt 100 ]; do
    i=$((i+1)); sleep 0.05 || sleep 1
  done
}
report "$1" 3
report "$1" 4
exit "$c"
