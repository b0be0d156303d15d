#!/bin/sh
# shellcheck disable=SC2034 # what is set here is read by the scripts that follow
# Functions that both sides of the copy of a directory use: the digest of a tree, and tar.
#
# tree_of DIR FREE sets $tree, a SHA-256 of all names by type, of the targets of links, and of the contents of all files;
# $rights, a SHA-256 of the modes and owners, with FREE=1 without the set-user-ID and set-group-ID bits of files; and $counts,
# the numbers of files, directories and links. sha256sum of coreutils marks and changes lines with names that have special
# characters, so only the digests are taken. ls prints names that differ between programs, so only its first columns are.
command -v tar >/dev/null 2>&1 || fail TOOL_MISSING tar
command -v find >/dev/null 2>&1 || fail TOOL_MISSING find
# Replaces links in a path, so that paths of a source and a target can be compared.
resolve_dir() { path=$(cd "$1/" && pwd -P && echo x) || return 1; path=${path%x}; path=${path%"$nl"}; }
numeric=--numeric-owner
tar $numeric -cf /dev/null /dev/null 2>/dev/null || numeric=
# shellcheck disable=SC2044 # the output is numbers
count() { n=0; for c in $(find . -type "$1" -exec sh -c 'echo $#' sh {} +); do n=$((n+c)); done; echo "$n"; }
tree_of() {
  free=''
  [ "$2" != 1 ] || free='/^-/y/sS/x-/'
  counts=$(cd "$1" && echo "$(count f) $(count d) $(count l)") || return 1
  tree=$(
    cd "$1" || exit 1
    {
      for t in d f l; do echo "$t"; find . -type "$t" | sort; done
      find . -type l -exec readlink {} ';' | sort
      find . -type f -exec sha256sum {} + | sed 's/^\\//' | grep -aE '^[0-9a-f]{64} ' | cut -c1-64 | sort
    } | sha256sum
  ) || return 1
  rights=$(
    cd "$1" || exit 1
    find . -exec ls -ldn {} + | sed -n 's/^\([-dl][-rwxsStT]\{9\}\)[.+@]* *[0-9]* *\([0-9]* *[0-9]*\) .*/\1 \2/p' |
      sed -e 's/  */ /g' -e "$free" | sort | sha256sum
  ) || return 1
  tree=${tree%% *} rights=${rights%% *}
}
