#!/bin/sh
# Removes the temporary file or directory named $2 of a transfer that was killed: beside $1, and beside the file to which $1 is a link.
# A directory that was moved away to be replaced is put back, unless it has been replaced.
clean() {
  # shellcheck disable=SC2115 # neither is empty
  rm -rf -- "${1%/*}/$2"
  old=${1%/*}/$2.old
  [ -e "$old" ] || return 0
  if [ -e "$1" ]; then rm -rf -- "$old"; else mv -- "$old" "$1"; fi
}
clean "$1" "$2"
[ ! -L "$1" ] || { path=$(readlink -f -- "$1") && clean "$path" "$2"; }
