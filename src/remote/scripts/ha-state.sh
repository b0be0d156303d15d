#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Reads the files of the HA manager. $n nonce.
echo "$n section resources"
cat /etc/pve/ha/resources.cfg 2>/dev/null
echo "$n section status"
cat /etc/pve/ha/manager_status 2>/dev/null
echo "$n section vmlist"
cat /etc/pve/.vmlist
