#!/bin/sh
# Leaves stdout, as fd 3, to the bytes of a file: the reports of the scripts that follow go to stderr.
exec 3>&1 1>&2
