#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Reads the host keys by which the nodes of the cluster verify each other. $n nonce. Since PVE 8 each node has its own file;
# older versions have one common file.
echo "$n section keys"
cat /etc/pve/priv/known_hosts /etc/pve/nodes/*/ssh_known_hosts 2>/dev/null
echo "$n item end"
