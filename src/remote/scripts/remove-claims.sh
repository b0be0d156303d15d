#!/bin/sh
# Removes claims of requests that are known to have started. $1 directory of the claims, $2 … their names.
# Those that other servers have left are removed after two days: by then, no lost request can still arrive.
cd "$1" || exit 0
shift
rm -f -- "$@"
find . -mindepth 1 -maxdepth 1 -mmin +2880 -exec rm -f {} +
