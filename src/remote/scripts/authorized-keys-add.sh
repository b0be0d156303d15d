#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Adds the line $1 to authorized_keys, unless it exists. $n nonce. On a Proxmox VE node, root's file is a link into /etc/pve.
umask 077
mkdir -p "$HOME/.ssh" || exit 1
f=$HOME/.ssh/authorized_keys
if [ -e "$f" ] && grep -qxF -- "$1" "$f"; then echo "$n item key present"; exit 0; fi
if [ -s "$f" ] && [ -n "$(tail -c 1 "$f")" ]; then echo >>"$f" || exit 1; fi
printf '%s\n' "$1" >>"$f" && echo "$n item key added"
