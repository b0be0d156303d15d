#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Reads all data about the cluster's containers in one round trip, without loading Perl.
#
# $n nonce. $1 the VMID whose frozen state is requested, or empty. $2 further keys of configurations, each after a |, or empty.
# $3 the version of the configurations that the caller has, or empty: they are not read again if they have not changed. pmxcfs
# counts each change of a configuration in the version of .vmlist.
# The frozen containers follow the sockets of the running ones: cgroup v2, then v1.
# grep prints the path before every line, so that one process can read hundreds of files.
echo "$n section unix"
grep -aoE '@/var/lib/lxc/[0-9]+/command$' /proc/net/unix
cg=/sys/fs/cgroup
grep -asHE '^(frozen 1|FROZEN)$' "$cg"/lxc/*/cgroup.events "$cg"/freezer/lxc/*/freezer.state
echo "$n section pve"
cd /etc/pve 2>/dev/null || { echo "$n item missing"; exit 0; }
[ -r .vmlist ] || [ ! -e .vmlist ] || echo "$n item forbidden"
v=$(grep -aoE '"(starttime|vmlist)": *[0-9]+' .version 2>/dev/null | tr -dc '0-9\n' | tr '\n' .)
echo "$n item version $v"
grep -asH '' .members .vmlist .rrd
grep -asH '^pool:' user.cfg
echo "$n item now $(date +%s)"
echo "$n section conf"
if [ -z "$v" ] || [ "$v" != "$3" ]; then
  grep -asHE "^(hostname|lock|template|tags$2):|^\\[" nodes/*/lxc/*.conf
fi
if [ -n "$1" ]; then echo "$n section frozen"; lxc-info -n "$1" -s -H 2>&1; fi
echo "$n item end"
