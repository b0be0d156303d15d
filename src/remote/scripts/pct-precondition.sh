#!/bin/sh
# The same where sudo rules allow nothing but pct: run by the login shell as the user that logs in, it asks `pct config`,
# which takes 0.7 s. What pct prints is compared and never run. Pools and claims are beyond it.
#
# $1 nonce, $2 VMID, $3 its name, $4 its tags with a space behind each
# $5 seconds after which an answer does not count: pct may hang for an hour, and nobody waits for the command by then.
#
# That pct fails is not enough to say that the container is gone, so it is asked once more for its words. Its stderr is kept
# from the command's: it warns of lines of configuration files that it does not understand.
n=$1 v=$2 w=$3 g=$4 m=$5
no() { printf '%s no %s\n' "$n" "$1"; exit 96; }
ask() { (export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"; exec sudo -n pct config "$v" --current 1 </dev/null); }
u='' h='' t='' j='' b=0 z='
'
{ read -r u b; } 2>/dev/null </proc/uptime; b=${u%%.*}
c=$(ask 2>/dev/null) || {
  c=$(ask 2>&1 >/dev/null)
  case $c in *'does not exist'*) no gone;; esac
  printf '%s\n' "$c" >&2
  no unread
}
c=$c$z
while [ -n "$c" ]; do
  l=${c%%"$z"*}; c=${c#*"$z"}
  case $l in
    'hostname: '*) h=${l#hostname: };;
    'tags: '*) t=${l#tags: };;
  esac
done
h=${h#"${h%%[! ]*}"}; h=${h%"${h##*[! ]}"}
while [ -n "$t" ]; do
  l=${t%%[\;,\ ]*}; t=${t#"$l"}; t=${t#?}
  [ -z "$l" ] || j="$j$l "
done
# shellcheck disable=SC2034 # x takes the rest of the line
{ read -r u x; } 2>/dev/null </proc/uptime; u=${u%%.*}
[ $((u - b)) -le "$m" ] || no slow
# shellcheck disable=SC2015 # refuses if either condition fails
[ "${h:-CT$v}" = "$w" ] && [ "$j" = "$g" ] || no changed
printf '%s ok\n' "$n"
