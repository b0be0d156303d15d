#!/bin/sh
# The kernel's tables of the networks of containers, which a container cannot forge. A container has much control over its tables,
# so their size and the time for them are limited: $1 lines of each table. stdin: the directories of the tables, one per line.
tables() {
  d=$(cat)
  printf '%s\n' "$d" | sed 's|$|/route|' | timeout 1 xargs grep -asH -m "$1" ''
  printf '%s\n' "$d" | sed 's|$|/if_inet6|' | timeout 1 xargs grep -asH -m "$1" ''
  printf '%s\n' "$d" | sed 's|$|/fib_trie|' | timeout 1 xargs grep -asH -m "$1" -B 1 '/32 host LOCAL'
}
