#!/bin/sh
# Runs both halves of a copy on the node, with a pipe between them.
#
# $1 inner word of the second half, $2 and $3 command lines of the halves, quoted by the sender of this script, $4 bytes.
# The pipe carries exactly $4 bytes of the first half, however many it writes, and then what the caller sends on stdin: the
# verdict. So the first half, which may run in a hostile container, cannot send one. stdout is that of the second half, with
# "WORD progress BYTES" of this script; stderr is that of both.
exec 4>&1 5>&2 6<&0 2>/dev/null
pump() {
  left=$2
  while [ "$left" -gt 0 ]; do
    # Whole blocks, at most 4 MiB at a time, and the rest as one block: so dd tells whether the source is short.
    block=65536 count=$((left / 65536))
    [ "$count" -le 64 ] || count=64
    [ "$count" -gt 0 ] || { block=$left; count=1; }
    # 7 is the pipe to the second half.
    said=$(LC_ALL=C dd bs="$block" count="$count" iflag=fullblock 2>&1 >&7) || return 1
    case $said in "$count+0 records in"*) ;; *) return 1;; esac
    left=$((left - block * count))
    echo "$1 progress $(($2 - left))" >&4
  done
}
{
  exec 7>&1
  # Not /dev/null, whose mode lxc-attach would change if the container has replaced its own.
  eval "$2" 2>&5 4>&- 5>&- 6<&- 7>&- <<E | pump "$1" "$4" || exit 1
E
  # Not cat: that of busybox uses sendfile, which locks the pipe while it waits for the verdict, so that the second half cannot
  # read what is in it.
  read -r verdict <&6 && echo "$verdict"
} | eval "$3" 2>&5 4>&- 5>&- 6<&-
