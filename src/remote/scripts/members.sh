#!/bin/sh
# Reads one file of the cluster file system.
cat /etc/pve/.members
