#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Reports the user, the system and the programs of the node. $n nonce. stderr of programs is ignored.
# The PATH of users other than root does not include the sbin directories, which contain pct.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
echo "$n item uid $(id -u)"
echo "$n item user $(id -un)"
# shellcheck disable=SC1091 # a file of the node
echo "$n item os $(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME")"
for c in sudo pct pveversion lxc-attach lxc-info lxc-stop; do
  p=$(command -v "$c") && echo "$n item path:$c $p"
done
if command -v pveversion >/dev/null; then echo "$n item version $(pveversion 2>/dev/null)"; fi
