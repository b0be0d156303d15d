#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Tells who we are on the node and what it has. $n nonce. A program's stderr is never its answer.
# Users other than root have no sbin directories in their PATH, where pct is.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
echo "$n item uid $(id -u)"
echo "$n item user $(id -un)"
# shellcheck disable=SC1091 # a file of the node
echo "$n item os $(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME")"
for c in sudo pct pveversion lxc-attach lxc-info lxc-stop; do
  p=$(command -v "$c") && echo "$n item path:$c $p"
done
if command -v pveversion >/dev/null; then echo "$n item version $(pveversion 2>/dev/null)"; fi
