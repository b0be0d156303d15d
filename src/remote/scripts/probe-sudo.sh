#!/bin/sh
# Which of the commands that need root sudo runs without a password. $1 nonce. Nothing is changed by any of them.
echo "$1"
for c in lxc-attach lxc-info lxc-stop; do sudo -n "$c" --version >/dev/null 2>&1 </dev/null && echo "may $c"; done
sudo -n /bin/sh -c : >/dev/null 2>&1 </dev/null && echo "may sh"
sudo -n env true >/dev/null 2>&1 </dev/null && echo "may env"
case $(LC_ALL=C sudo -n pct list 2>&1 >/dev/null </dev/null) in
  *sudo:*|*"not allowed"*|*"not found"*) ;;
  *) echo "may pct";;
esac
echo "end"
