#!/bin/sh
# shellcheck disable=SC2154 # n is set by the request that runs this script
# Reports the state of jobs. $1 folder of all jobs; $2 … names, or none for all.
[ $# -gt 1 ] || expire "$1"
look "$@"
echo "$n item complete"
