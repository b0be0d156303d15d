#!/bin/sh
# Holds a call to what it was decided on: run on the node by the very command line that then does the work, before it, so
# that it costs no round trip. POSIX sh, and only what every shell has built in, for it runs with each guarded call; only
# a claim starts other programs. It says one line on stdout, "NONCE ok" or "NONCE no WHY", and ends the line with code 96
# when it refuses. Nothing in a container runs before it has spoken, so no output can be taken for it.
#
# $1 nonce
# $2 VMID, or empty where nothing is asked of a container
# $3 its configuration file, which tells by its path on which node it lives
# $4 its name, $5 its tags with a space behind each, $6 its pool or empty
# $7 id of an approval to be used up, or empty; $8 who uses it: the same call may come twice, by another way in.
#
# What can't be read in two seconds does not count: pmxcfs may hang for an hour, and nobody waits for the command by then.
n=$1 v=$2 f=$3 w=$4 g=$5 p=$6 c=$7 k=$8
no() { printf '%s no %s\n' "$n" "$1"; exit 96; }
if [ -n "$v" ]; then
  u='' h='' t='' j='' q='' b=0
  { read -r u b; } 2>/dev/null </proc/uptime; b=${u%%.*}
  [ -r "$f" ] || no gone
  while IFS= read -r l || [ -n "$l" ]; do
    case $l in
      '['*) break;;
      hostname:*) h=${l#hostname:};;
      tags:*) t=${l#tags:};;
    esac
  done <"$f"
  h=${h#"${h%%[! ]*}"}; h=${h%"${h##*[! ]}"}
  while [ -n "$t" ]; do
    l=${t%%[\;,\ ]*}; t=${t#"$l"}; t=${t#?}
    [ -z "$l" ] || j="$j$l "
  done
  if [ -r /etc/pve/user.cfg ]; then
    while IFS= read -r l || [ -n "$l" ]; do
      case $l in pool:*:*:*) ;; *) continue;; esac
      x=${l#pool:*:*:}; x=${x%%:*}
      case ,$x, in *,"$v",*) q=${l#pool:}; q=${q%%:*};; esac
    done </etc/pve/user.cfg
  fi
  { read -r u x; } 2>/dev/null </proc/uptime; u=${u%%.*}
  [ $((u - b)) -le 2 ] || no slow
  # shellcheck disable=SC2015 # refuses if any condition fails
  [ "${h:-CT$v}" = "$w" ] && [ "$j" = "$g" ] && [ "$q" = "$p" ] || no changed
fi
if [ -n "$c" ]; then
  d=/run/proxmox-mcp/claims
  (umask 077; mkdir -p "$d") 2>/dev/null || no unclaimable
  find "$d" -mindepth 1 -maxdepth 1 -mmin +2880 -exec rm -rf {} + 2>/dev/null
  if mkdir "$d/$c" 2>/dev/null; then
    (printf '%s\n' "$k" >"$d/$c/by") 2>/dev/null || no unclaimable
  else
    [ -d "$d/$c" ] || no unclaimable
    x=
    [ ! -r "$d/$c/by" ] || read -r x <"$d/$c/by"
    [ "$x" = "$k" ] || no used
  fi
fi
printf '%s ok\n' "$n"
