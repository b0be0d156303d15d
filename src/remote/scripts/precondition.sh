#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Checks the precondition of a call. Runs in the session's shell before the work, so that it costs no round trip. If a condition
# is not met, prints "NONCE refused WHY" and exits; otherwise prints nothing.
#
# $n nonce. Arguments are pairs FIELD VALUE:
#   lockdown FILE               refuses while FILE exists: it contains the end of the lockdown (seconds since the epoch);
#                               other content, or a file that cannot be read, means no end
#   container VMID, conf FILE   the container and its configuration, whose path contains the node
#   here FILE                   the configuration of the container below the directory of this node, which must exist if pmxcfs
#                               is mounted
#   name, tags                  required attributes; tags are separated by spaces
#   pool                        the required pool, or empty
#   redeemer ID, approval ID    redeems an approval for this call, which may be repeated by the same call
#
# /etc/pve is FUSE, where each step of a path costs a round trip to pmxcfs. So a file is read with cat, because dash's read makes
# a system call per byte; a configuration that was read from the directory of this node needs no second look, which the name
# of the node tells; and there are no dangling symlinks to test for. user.cfg has the pools and may be missing. A check that took
# more than two seconds fails, because pmxcfs may hang for an hour and the caller has then given up. That includes the test
# whether a file exists.
refuse() { echo "$n refused $1"; exit 96; }
in_time() { { read -r u x; } </proc/uptime; [ $((${u%%.*} - b)) -le 2 ] || refuse slow; }
{ read -r u x; } </proc/uptime; b=${u%%.*}
v='' f='' by=''
while [ $# -gt 0 ]; do
  case $1 in
    lockdown)
      if [ -e "$2" ] || { [ "${2#/etc/pve/}" = "$2" ] && [ -L "$2" ]; }; then
        x=''
        [ ! -r "$2" ] || { read -r x || :; } <"$2"
        case $x in '' | *[!0-9]*) refuse locked;; esac
        [ "$x" -le "$(date +%s)" ] || refuse locked
      fi;;
    container) v=$2;;
    conf)
      f=$2 h='' j='' o=$IFS
      c=$(cat "$f") || refuse gone
      set -f; IFS='
'
      for l in $c; do
        case $l in
          \[*) break;;
          hostname:*) h=${l#hostname:};;
          tags:*) j=${l#tags:};;
        esac
      done
      set +f; IFS=$o
      h=${h#"${h%%[! ]*}"}; h=${h%"${h##*[! ]}"}
      t=$j j=
      while [ -n "$t" ]; do
        l=${t%%[\;,\ ]*}; t=${t#"$l"}; t=${t#?}
        [ -z "$l" ] || j="$j$l "
      done;;
    here)
      read -r x </proc/sys/kernel/hostname
      [ "$f" = "${2%/lxc/*}/nodes/${x%%.*}/lxc/${2##*/}" ] || [ -e "$2" ] || [ ! -e "${2%/lxc/*}/.vmlist" ] ||
        refuse moved;;
    name) [ "${h:-CT$v}" = "$2" ] || refuse changed;;
    tags) [ "$j" = "${2:+$2 }" ] || refuse changed;;
    pool)
      q='' o=$IFS
      c=$(cat /etc/pve/user.cfg)
      set -f; IFS='
'
      for l in $c; do
        case $l in
          pool:*:*:*)
            l=${l#pool:}
            x=${l#*:*:}; x=${x%%:*}
            case ,$x, in *,"$v",*) q=${l%%:*};; esac;;
        esac
      done
      set +f; IFS=$o
      [ "$q" = "$2" ] || refuse changed;;
    # The last check before an approval is redeemed.
    redeemer) in_time; by=$2;;
    approval)
      d=/run/proxmox-mcp/claims
      (umask 077; mkdir -p "$d") || refuse unwritable
      find "$d" -mindepth 1 -maxdepth 1 -mmin +2880 -exec rm -rf {} +
      if mkdir "$d/$2"; then
        (echo "$by" >"$d/$2/by") || refuse unwritable
      else
        [ -d "$d/$2" ] || refuse unwritable
        x=
        [ ! -r "$d/$2/by" ] || read -r x <"$d/$2/by"
        [ "$x" = "$by" ] || refuse used
      fi;;
    *) refuse "field-$1";;
  esac
  shift 2
done
[ -n "$by" ] || in_time
