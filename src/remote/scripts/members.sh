#!/bin/sh
# Reads one file of the cluster file system. $1 nonce.
echo "$1"
cat /etc/pve/.members
