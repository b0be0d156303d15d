#!/bin/sh
# Asks the node, without any rights, who we are there and what it has. $1 nonce; lines after it are `NAME VALUE`. A program's stderr is never its answer.
# Users other than root have no sbin directories in their PATH, where pct is.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
echo "$1"
echo "uid $(id -u)"
echo "user $(id -un)"
# shellcheck disable=SC1091 # a file of the node
echo "os $(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME")"
for c in sudo pct pveversion lxc-attach lxc-info lxc-stop sh env; do
  p=$(command -v "$c") && echo "path:$c $p"
done
if command -v pveversion >/dev/null; then echo "version $(pveversion 2>/dev/null)"; fi
echo "end"
