#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Reports whether container $1 is running, which is the case if and only if its command socket exists. $n nonce. Prints nothing
# if the check fails.
grep -q "@/var/lib/lxc/$1/command\$" /proc/net/unix
case $? in 0) echo "$n item running";; 1) echo "$n item stopped";; esac
