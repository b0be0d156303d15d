#!/bin/sh
# Reads what the HA manager knows. $n nonce.
echo "$n section resources"
cat /etc/pve/ha/resources.cfg 2>/dev/null
echo "$n section status"
cat /etc/pve/ha/manager_status 2>/dev/null
echo "$n section vmlist"
cat /etc/pve/.vmlist
