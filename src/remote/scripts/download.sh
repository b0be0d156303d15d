#!/bin/sh
# shellcheck disable=SC2154 # w, path and digest are set by transfer-prelude.sh, which precedes this script
# Sends a file on stdout.
#
# $2 path, $3 the maximum size. Sends "WORD ready SIZE MODE", the resolved path as data, the first SIZE bytes of the file as
# data, then "WORD done SHA256" of the first SIZE bytes, which are read again. So a log file may grow during the transfer.

[ -e "$2" ] || fail SOURCE_NOT_FOUND "$2"
follow "$2" || fail SOURCE_NOT_FOUND "$2"
[ ! -d "$path" ] || fail IS_A_DIRECTORY "$path"
[ -f "$path" ] || fail NOT_A_REGULAR_FILE "$path"
[ -r "$path" ] || fail IO "$path: Permission denied"
# shellcheck disable=SC2015 # refuses if either command before || fails
size=$(size_of "$path") && mode=$(mode_of "$path") || fail IO "$path: cannot read its size"
! is_virtual "$size" || fail PSEUDO_FILE "$path"
[ "$size" -le "$3" ] || fail FILE_TOO_LARGE "$size"
printf '%s ready %s %s\n' "$w" "$size" "$mode"
send_text "$path"
printf '%s data %s\n' "$w" "$size"
choose_programs "$size"
stamp() { stat -c '%s %i %y %z' "$path" 2>/dev/null; }
sum='' before=''
[ -z "$large" ] || [ "$digest" != sha256sum ] || before=$(stamp)
# Not every stat shows fractions of seconds, without which a write could be missed.
case $before in *.000000000*) before=;; "$size "*.*) ;; *) before=;; esac
if [ -n "$before" ]; then
  # Hashed while it is sent. A file that was written meanwhile is hashed again.
  exec 3>&1
  sum=$(
    sha256sum <"$path" &
    take "$size" <"$path" >&3 || { kill $!; exit 1; }
    wait
  ) || exit 1
  exec 3>&-
  [ "$(stamp)" = "$before" ] || sum=
elif [ "$size" != 0 ]; then
  take "$size" <"$path" || exit 1
fi
if [ -z "$sum" ]; then
  if [ "$(size_of "$path")" = "$size" ]; then sum=$($digest <"$path"); else sum=$(take "$size" <"$path" | $digest); fi
fi
printf '%s done %s\n' "$w" "${sum%% *}"
