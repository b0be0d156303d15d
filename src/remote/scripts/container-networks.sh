#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Prints the kernel's tables of the network of each container that runs on this node, which the container cannot forge. $n nonce.
# The tables are those of its first process: PID 1 of a PID namespace directly below the one of the node, in the cgroup of the
# container. network-tables.sh precedes this script.
proc=/proc
echo "$n section first"
t=$(printf '%s\n' "$proc"/[0-9]*/status | timeout 1 xargs grep -asHE '^NSpid:[^0-9]*[0-9]+[^0-9]+1$' |
  sed 's|/status:.*|/cgroup|' | timeout 1 xargs grep -asHE -m 1 '^[0-9]+:[^:]*:/lxc/[0-9]+(/|$)')
printf '%s\n' "$t"
echo "$n section networks"
printf '%s\n' "$t" | sed 's|/cgroup:.*|/net|' | tables 100
echo
