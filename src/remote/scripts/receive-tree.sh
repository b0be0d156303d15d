#!/bin/sh
# shellcheck disable=SC2034 # size is read by receive-prelude.sh
# shellcheck disable=SC2154 # what is not set here is set by the preludes, which precede this script
# The second half of a copy of a directory: receives tar on stdin and publishes it at once or not at all.
#
# $2 destination, $3 bytes of the stream, $4 1 to replace a directory, $5 name of the temporary directory. All refusals come
# before anything is written; then "WORD ready" and the destination with symlinks resolved as data. After the stream
# "WORD done SIZE SHA256" of what is on the disk; only when the sender answers with the word it is published, and a directory
# of that name is removed. End of input before that removes everything. "WORD published MODE replaced|new".
size=$3 over=$4 old=
discard() { [ -z "$tmp" ] || rm -rf "$tmp"; tmp=; [ -z "$old" ] || [ -e "$dest" ] || mv "$old" "$dest"; }
follow "$2" || fail DIRECTORY_NOT_FOUND "the target of the link has no directory"
dest=$path dir=${path%/*} fate=new
[ -d "$dir/" ] || fail DIRECTORY_NOT_FOUND "$dir"
resolve_dir "$dir" || fail IO "$dir: cannot be entered"
dest=${path%/}/${dest##*/} dir=${path%/}
if [ -e "$dest" ]; then
  [ -d "$dest" ] || fail NOT_A_DIRECTORY "$dest"
  [ "$over" = 1 ] || fail FILE_EXISTS "$dest"
  fate=replaced
fi
new=$dir/$5
err=$(mkdir "$new" 2>&1) || fail IO "$err"
tmp=$new
printf '%s ready\n' "$w"
send_text "$dest"
# The rest of the stream that tar does not read must not be mistaken for the answer of the sender.
# shellcheck disable=SC2086 # empty or an option
err=$(head -c "$size" | { tar $numeric -xpf - -C "$tmp" 2>&1; c=$?; cat >/dev/null; exit "$c"; }) || {
  if [ "$(free_bytes)" -lt 65536 ]; then give_up FULL "$err"; else give_up IO "$err"; fi
}
tree_of "$tmp" || give_up IO "cannot read the directory back"
printf '%s done %s %s\n' "$w" "$size" "$tree"
read -r verdict
[ "$verdict" = "$w" ] || { discard; exit 0; }
if [ "$fate" = replaced ]; then
  old=$tmp.old
  err=$(mv "$dest" "$old" 2>&1) || { old=; give_up IO "$err"; }
elif [ -e "$dest" ]; then
  give_up FILE_EXISTS "$dest"
fi
err=$(mv "$tmp" "$dest" 2>&1) || give_up IO "$err"
tmp=
[ -z "$old" ] || rm -rf "$old"
printf '%s published %s %s\n' "$w" "$(mode_of "$dest")" "$fate"
