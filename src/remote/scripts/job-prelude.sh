#!/bin/sh
# Functions of the scripts that work on jobs.
#
# Prints the clock ticks since boot, which are the start time of a new process. Changes of the clock do not affect them.
# shellcheck disable=SC2046 # split into fields
ticks() { set -- $(cat /proc/self/stat); echo "${22}"; }
# Removes jobs that ended a day ago, and folders in which no file was renamed for three days: jobs that were lost. Renaming a
# state sets the time of the folder.
expire() {
  find "$1" -mindepth 1 -maxdepth 1 -type d -mmin +1440 2>/dev/null | while IFS= read -r x; do
    for s in "$x"/s.ended.*; do [ ! -e "$s" ] || rm -rf "$x"; done
  done
  find "$1" -mindepth 1 -maxdepth 1 -type d -mmin +4320 -exec rm -rf {} + 2>/dev/null
}
