#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Tells whether container $1 runs: if and only if its command socket is there. $n nonce. Says nothing when it could not look.
grep -q "@/var/lib/lxc/$1/command\$" /proc/net/unix
case $? in 0) echo "$n item running";; 1) echo "$n item stopped";; esac
