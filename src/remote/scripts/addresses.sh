#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Prints the addresses of container $1 from the kernel's tables of its network, which the container cannot forge. Waits until there
# are as many as interfaces that the configuration gives an address to, but not longer than $2 times 0.2 s. $n nonce.
# network-tables.sh precedes this script.
proc=/proc
c=$(sed '/^\[/,$d' /etc/pve/nodes/*/lxc/"$1".conf | grep -cE '^net[0-9]+:.*[ ,]ip6?=[0-9a-f]')
p=$(lxc-info -n "$1" -p -H)
case $p in '' | *[!0-9]*) exit;; esac
i=0
while :; do
  t=$(echo "$proc/$p/net" | tables 250)
  a=$(printf '%s\n' "$t" | grep -oE -e '-- [0-9.]+$|[:-][0-9a-f]{32} [0-9a-f]+ [0-9a-f]+ 00 ' | grep -v -e '-- 127\.' | sort -u | wc -l)
  i=$((i + 1))
  if [ "$a" -ge "$c" ] || [ "$i" -gt "$2" ]; then break; fi
  sleep 0.2
done
echo "$n item expected $c"
echo "$n section net"
printf '%s\n' "$t"
echo "$n item end"
