#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Tells whether container $1 runs: if and only if its command socket is there. $n nonce.
if grep -q "@/var/lib/lxc/$1/command\$" /proc/net/unix; then echo "$n item running"; else echo "$n item stopped"; fi
