#!/bin/sh
# Runs both halves of a copy on the node, with a pipe between them.
#
# $1 inner word of the second half, $2 and $3 command lines of the halves, quoted by the sender of this script, $4 bytes.
# The pipe carries exactly $4 bytes of the first half, however many it writes, and then what the caller sends on stdin: the
# verdict. So the first half, which may run in a hostile container, cannot send one. stdout is that of the second half, with
# "WORD progress BYTES" of this script; stderr is that of both.
exec 4>&1 5>&2 6<&0 2>/dev/null
chunk=4194304
nl='
'
pump() {
  left=$2
  while [ "$left" -gt 0 ]; do
    n=$chunk; [ "$n" -le "$left" ] || n=$left
    # 7 is the pipe to the second half; dd reports on stderr how much it has moved.
    said=$(LC_ALL=C dd bs=65536 count="$n" iflag=fullblock,count_bytes 2>&1 >&7) || return 1
    got=
    for line in $said; do
      case $line in *[!0-9]*) [ "$line" != bytes ] || { got=$last; break; };; esac
      last=$line
    done
    # The dd of busybox tells no bytes, but whether the last block was a whole one.
    case $said in "$((n / 65536))+$((n % 65536 > 0)) records in$nl"*) got=${got:-$n};; esac
    case $got in ''|0|*[!0-9]*) return 1;; esac
    left=$((left - got))
    echo "$1 progress $(($2 - left))" >&4
  done
}
{
  exec 7>&1
  eval "$2" </dev/null 2>&5 4>&- 5>&- 6<&- 7>&- | pump "$1" "$4" || exit 1
  exec cat <&6
} | eval "$3" 2>&5 4>&- 5>&- 6<&-
