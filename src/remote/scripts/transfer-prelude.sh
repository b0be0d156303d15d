#!/bin/sh
# shellcheck disable=SC2034 # the variables are used by download.sh and upload.sh, which follow this script
# The remote side of a file transfer, in POSIX sh that busybox supports. Both scripts run in the container and report on stdout
# in frames that begin with an inner word ($1): "WORD began" on both streams, then "WORD failed CODE TEXT" for an error or "WORD
# ready …". Raw bytes follow "WORD data LENGTH". Paths are arguments and absolute, so that none can be parsed as an option.
w=$1
nl='
'
LC_ALL=C; export LC_ALL
echo "$w began"
echo "$w began" >&2
fail() { printf '%s failed %s %s\n' "$w" "$1" "$2"; exit 0; }
length() { printf '%s' "$1" | wc -c | { read -r l; printf '%s' "$l"; }; }
send_text() { printf '%s data %s\n%s' "$w" "$(length "$1")" "$1"; }
# The program directories of NixOS and Guix.
for d in /run/wrappers/bin /run/current-system/sw/bin /run/current-system/profile/bin; do
  [ ! -d "$d" ] || PATH=$PATH:$d
done
# Checked first, because without /dev/null every program would appear to be missing.
true >/dev/null || fail DEV_NULL
for t in head sha256sum readlink wc; do
  command -v "$t" >/dev/null 2>&1 || fail TOOL_MISSING "$t"
done
# OpenWrt has no stat, or one without formats.
if stat -c %s / >/dev/null 2>&1; then
  size_of() { stat -c %s "$1"; }
  mode_of() { stat -c %a "$1"; }
  owner_of() { stat -c %u:%g "$1"; }
  links_and_names_of() { stat -c '%h %U %G' "$1"; }
else
  command -v ls >/dev/null 2>&1 || fail TOOL_MISSING stat
  # shellcheck disable=SC2046 # split into the fields of the line
  list() { set -f; set -- $(ls -lnd "$1") '' '' '' '' ''; set +f; perms=$1 links=$2 uid=$3 gid=$4 bytes=$5; [ -n "$bytes" ]; }
  size_of() { list "$1" && echo "$bytes"; }
  owner_of() { list "$1" && echo "$uid:$gid"; }
  links_and_names_of() { list "$1" && echo "$links - -"; }
  mode_of() {
    list "$1" || return 1
    m=${perms#?} o='' x=0
    for k in 4 2 1; do
      t=${m%"${m#???}"} d=0; m=${m#???}
      case $t in r??) d=4;; esac
      case $t in ?w?) d=$((d+2));; esac
      case $t in ??[xst]) d=$((d+1));; esac
      case $t in ??[sStT]) x=$((x+k));; esac
      o=$o$d
    done
    [ "$x" = 0 ] || o=$x$o
    echo "$o"
  }
fi
follow() {
  path=$1
  [ -L "$1" ] || return 0
  path=$(readlink -f "$1" && printf x) || return 1
  path=${path%x}; path=${path%"$nl"}
}
# The kernel makes the content of virtual files when they are read, which may block. The directory of $path may be a link to them.
real_dir() { cd "${path%/*}/" 2>/dev/null && pwd -P; }
is_virtual() {
  case $(real_dir)/ in /proc/*) return 0;; esac
  [ "$1" = 0 ] && [ "$(head -c 1 "$path" 2>/dev/null | wc -c)" -gt 0 ]
}
# Those of sysfs have a size, of which some have less.
is_unsized() { case $(real_dir)/ in /sys/*) return 0;; esac; is_virtual "$1"; }
# openssl uses the SHA instructions of the CPU and is four times as fast, but takes longer to start. head copies 8 KiB at a time
# and takes four times as long as dd with larger blocks, but not every dd can count bytes.
digest=sha256sum blocks=
# shellcheck disable=SC2086 # split into words
take() { if [ -n "$blocks" ]; then dd bs=131072 count="$1" $blocks; else head -c "$1"; fi; }
choose_programs() {
  large=; [ "$1" -gt 16777216 ] || return 0
  large=1; ! command -v openssl >/dev/null 2>&1 || digest='openssl dgst -sha256 -r'
  blocks='iflag=fullblock,count_bytes status=none'
  # shellcheck disable=SC2086 # split into words
  [ "$(echo 123456 | dd bs=4 count=5 $blocks 2>/dev/null)" = 12345 ] || blocks=
}
