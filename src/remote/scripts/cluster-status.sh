#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Reads the state of a node and, with `cluster` as $1, also what the cluster publishes about all nodes. $n nonce. Loads no Perl.
echo "$n item kernel $(uname -r)"
echo "$n item version $(sed -n '/^Package: pve-manager$/,/^$/s/^Version: //p' /var/lib/dpkg/status 2>/dev/null)"
echo "$n item cpus $(grep -c '^processor' /proc/cpuinfo)"
echo "$n section load"
cat /proc/uptime /proc/loadavg
echo "$n section memory"
grep -E '^(MemTotal|MemAvailable):' /proc/meminfo
echo "$n section unix"
grep -aoE '@/var/lib/lxc/[0-9]+/command$' /proc/net/unix
if [ "$1" = cluster ]; then
  echo "$n section pve"
  cd /etc/pve 2>/dev/null || { echo "$n item missing"; exit 0; }
  [ -r .vmlist ] || [ ! -e .vmlist ] || echo "$n item forbidden"
  grep -asH '' .members .vmlist .rrd storage.cfg
  echo "$n section resources"
  cat ha/resources.cfg 2>/dev/null
  echo "$n section manager"
  cat ha/manager_status 2>/dev/null
fi
echo "$n item end"
