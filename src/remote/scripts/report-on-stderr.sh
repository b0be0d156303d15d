#!/bin/sh
# Keeps stdout (fd 3) for the bytes of a file. The reports of the scripts that follow go to stderr.
exec 3>&1 1>&2
