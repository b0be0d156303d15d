#!/bin/sh
# Removes the temporary file or directory named $2 of a transfer that was killed: beside $1, and beside the file to which $1 is a link.
# shellcheck disable=SC2115 # neither is empty
rm -rf -- "${1%/*}/$2"
[ ! -L "$1" ] || { path=$(readlink -f -- "$1") && rm -rf -- "${path%/*}/$2"; }
