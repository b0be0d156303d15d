#!/bin/sh
# shellcheck disable=SC2034 # what is set here is read by the scripts that follow
# shellcheck disable=SC2154 # dir, dest, size and large are set by the scripts that follow and by transfer-prelude.sh
# A temporary file ($tmp) beside the destination that receives $size bytes from stdin, for the scripts that follow.
# $tmp is empty while there is none, so that every end of the script can discard it.
umask 077
tmp=
discard() { [ -z "$tmp" ] || rm -f "$tmp"; tmp=; }
trap 'discard; exit 1' HUP INT TERM PIPE
give_up() { discard; fail "$1" "$2"; }
# busybox reports every failed write as an I/O error, so the free space is checked.
free_bytes() {
  set -f
  # shellcheck disable=SC2046 # split into fields
  set -- $(stat -f -c '- - - %f %S' "$dir/" 2>/dev/null || df -kP "$dir/" 2>/dev/null | tail -n 1)
  set +f
  case $5 in *[!0-9]*|'') echo $((${4:-0} * 1024));; *) echo $(($4 * $5));; esac
}
is_full() { [ "$(free_bytes)" -lt $((size - $(size_of "$tmp" || echo 0))) ]; }
# Whether $dest belongs to an ID that an unprivileged container does not have, such as a user of the node, so that it is seen as
# nobody's and $tmp cannot get its owner, but would get the container's own nobody. $err is what the kernel says. Some file systems
# give all files one owner, so $tmp may have it already.
is_foreign() {
  case :$(owner_of "$dest"): in *:65534:*) ;; *) return 1;; esac
  [ "$(owner_of "$tmp")" != "$(owner_of "$dest")" ] || return 1
  ! err=$(chmod "$(mode_of "$dest")" "$dest" 2>&1)
}
receive() {
  if ! err=$(take "$size" 2>&1 >"$tmp"); then
    if is_full; then give_up FULL "$err"; else give_up IO "$err"; fi
  fi
  got=$(size_of "$tmp")
  [ "$got" = "$size" ] || give_up SHORT "$got"
}
