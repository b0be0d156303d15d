#!/bin/sh
# shellcheck disable=SC2034 # size is read by receive-prelude.sh
# shellcheck disable=SC2154 # what is not set here is set by transfer-prelude.sh and receive-prelude.sh, which precede this script
# shellcheck disable=SC2094 # the temporary file is read while it grows, on purpose
# Receives a file on stdin and publishes it atomically, or not at all.
#
# $2 destination, $3 size in bytes, $4 mode or "", $5 owner or "", $6 group or "", $7 1 to overwrite, $8 name of the temporary
# file, $9 mode of a new file, $10 the file that is copied, if it is on the same machine, $11 1 if it has holes. All checks come before anything is written. Then it sends "WORD ready" and the resolved
# destination as data. After the file it sends "WORD done SIZE SHA256" of the content on the disk; the file is published only
# when the sender answers with the word. If the input ends earlier, everything is removed. Without overwrite, the last step is a
# hard link, which fails if another process has created the file. A mode that was not requested is set if possible: some file
# systems have none. "WORD published MODE replaced|new" reports the actual mode.

size=$3 perm=$4 owner=$5 group=$6 over=$7
follow "$2" || fail DIRECTORY_NOT_FOUND "the target of the link has no directory"
dest=$path old=
[ ! -d "$dest" ] || fail TARGET_IS_A_DIRECTORY "$dest"
dir=${dest%/*}
[ -d "$dir/" ] || fail DIRECTORY_NOT_FOUND "$dir"
if [ -e "$dest" ]; then
  [ -f "$dest" ] || fail NOT_A_REGULAR_FILE "$dest"
  # shellcheck disable=SC3013 # dash, bash and busybox have -ef
  [ -z "${10}" ] || ! [ "${10}" -ef "$dest" ] || fail SAME_FILE "$dest"
  [ "$over" = 1 ] || fail FILE_EXISTS "$dest"
  # shellcheck disable=SC2015 # refuses if either fails
  old=$(mode_of "$dest") && old="$old $(owner_of "$dest")" || fail IO "cannot read mode and owner"
fi
tmp=$dir/$8
err=$( (set -C; : >"$tmp") 2>&1) || { tmp=; fail IO "$err"; }
[ -z "$old" ] || [ -n "$owner" ] || ! is_foreign || give_up IO "$err"
printf '%s ready\n' "$w"
send_text "$dest"
choose_programs "$size"
if [ "${11}" = 1 ] && [ -n "$blocks" ] && dd if=/dev/null conv=sparse 2>/dev/null; then blocks="conv=sparse $blocks"; fi
if [ -z "$large" ] || [ "$digest" != sha256sum ]; then
  [ "$size" = 0 ] || receive
  sum=$($digest <"$tmp") || give_up IO "cannot read the file back"
else
  # Reads back the data on the disk while the rest is received. Each cat continues where the previous one ended.
  exec 3<&0
  receive <&3 &
  sum=$(
    {
      while [ "$(size_of "$tmp")" -lt "$size" ]; do cat; sleep 0.1 || sleep 1; done
      cat
    } <"$tmp" 2>/dev/null | $digest
  )
  wait
  # `receive` has removed the file and reported the reason.
  [ -e "$tmp" ] || exit 0
fi
printf '%s done %s %s\n' "$w" "$size" "${sum%% *}"
read -r verdict
[ "$verdict" = "$w" ] || { discard; exit 0; }
own=$owner; [ -z "$group" ] || own=$owner:$group
if [ -n "$old" ]; then
  now=$(owner_of "$tmp") keep=${old#* }
  if [ "$now" != "$keep" ]; then err=$(chown -- "$keep" "$tmp" 2>&1) || give_up IO "$err"; fi
fi
if [ -n "$own" ]; then err=$(chown -- "$own" "$tmp" 2>&1) || give_up OWNER "$err"; fi
mode=${perm:-${old%% *}}
err=$(chmod "${mode:-$9}" "$tmp" 2>&1) || [ -z "$perm" ] || give_up MODE "$err"
[ ! -d "$dest" ] || give_up TARGET_IS_A_DIRECTORY "$dest"
if [ "$over" = 1 ]; then
  err=$(mv -f "$tmp" "$dest" 2>&1) || give_up IO "$err"
elif err=$(ln "$tmp" "$dest" 2>&1); then
  rm -f "$tmp"
else
  [ ! -e "$dest" ] || give_up FILE_EXISTS "$dest"
  err=$(mv -n "$tmp" "$dest" 2>&1) || give_up IO "$err"
  [ ! -e "$tmp" ] || give_up FILE_EXISTS "$dest"
fi
tmp=
if [ -n "$old" ]; then fate=replaced; else fate=new; fi
printf '%s published %s %s\n' "$w" "$(mode_of "$dest")" "$fate"
