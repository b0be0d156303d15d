#!/bin/sh
# shellcheck disable=SC2034 # size is read by receive-prelude.sh
# shellcheck disable=SC2154 # what is not set here is set by the preludes, which precede this script
# The second half of a copy of a directory: receives tar on stdin and publishes it at once or not at all.
#
# $2 destination, $3 bytes of the stream, $4 1 to replace a directory, $5 name of the temporary directory, $6 1 to remove
# set-user-ID and set-group-ID bits of files, $7 the directory that is copied, if it is on the same machine. All refusals come
# before anything is written; then "WORD ready" and the destination with symlinks resolved as data. After the stream
# "WORD done SIZE TREE RIGHTS FILES DIRECTORIES LINKS" of what is on the disk; only when the sender answers with the word it is
# published, and a directory of that name is removed. End of input before that removes everything. "WORD published MODE
# replaced|new".
# What is mounted below would be removed with the directory.
refuse_mounts() {
  [ -r /proc/self/mountinfo ] || return 0
  while read -r _ _ _ _ point _; do
    # shellcheck disable=SC1003 # a backslash
    case $point in *'\'*) point=$(printf '%b' "$point");; esac
    case $point in "$dest"|"$dest"/*) fail MOUNTED "$point";; esac
  done </proc/self/mountinfo
}
size=$3 over=$4 old='' published=
discard() {
  [ -z "$tmp" ] || rm -rf "$tmp"
  tmp=
  [ -n "$old" ] || return 0
  if [ -n "$published" ]; then rm -rf "$old"; elif [ ! -e "$dest" ]; then mv "$old" "$dest"; fi
}
follow "$2" || fail DIRECTORY_NOT_FOUND "the target of the link has no directory"
dest=$path dir=${path%/*} fate=new
[ -d "$dir/" ] || fail DIRECTORY_NOT_FOUND "$dir"
resolve_dir "$dir" || fail IO "$dir: cannot be entered"
dest=${path%/}/${dest##*/} dir=${path%/}
if [ -e "$dest" ]; then
  [ -d "$dest" ] || fail NOT_A_DIRECTORY "$dest"
  [ "$over" = 1 ] || fail FILE_EXISTS "$dest"
  # shellcheck disable=SC3013 # dash, bash and busybox have -ef
  [ -z "$7" ] || ! [ "$7" -ef "$dest" ] || fail SAME_FILE "$dest"
  fate=replaced
  refuse_mounts
fi
new=$dir/$5
err=$(mkdir "$new" 2>&1) || fail IO "$err"
# Nobody else can enter it, whatever modes the stream sets below it.
tmp=$new new=$new/new
mkdir "$new" || give_up IO "$new: cannot be made"
printf '%s ready\n' "$w"
send_text "$dest"
# The rest of the stream that tar does not read must not be mistaken for the answer of the sender.
# shellcheck disable=SC2086 # empty or an option
err=$(head -c "$size" | { tar $numeric -xpf - -C "$new" 2>&1; c=$?; cat >/dev/null; exit "$c"; }) || {
  if [ "$(free_bytes)" -lt 65536 ]; then give_up FULL "$err"; fi
  # An unprivileged container has only some IDs.
  owner=$(printf '%s\n' "$err" | grep -aE "change ownership|chown" | head -n 1)
  [ -z "$owner" ] || give_up OWNER "$owner"
  give_up IO "$err"
}
# The source may send other entries than it has told, such as a disk of the node.
special=$(find "$new" ! -type f ! -type d ! -type l | head -n 1)
[ -z "$special" ] || give_up SPECIAL_FILE "$dest${special#"$new"}"
[ "$6" != 1 ] || { find "$new" -type f -perm -4000 -exec chmod u-s {} + && find "$new" -type f -perm -2000 -exec chmod g-s {} +; } ||
  give_up IO "cannot change modes"
tree_of "$new" "$6" || give_up IO "cannot read the directory back"
printf '%s done %s %s %s %s\n' "$w" "$size" "$tree" "$rights" "$counts"
read -r verdict
[ "$verdict" = "$w" ] || { discard; exit 0; }
if [ "$fate" = replaced ]; then
  old=$tmp.old
  err=$(mv "$dest" "$old" 2>&1) || { old=; give_up IO "$err"; }
elif [ -e "$dest" ]; then
  give_up FILE_EXISTS "$dest"
fi
err=$(mv "$new" "$dest" 2>&1) || give_up IO "$err"
published=1
discard
printf '%s published %s %s\n' "$w" "$(mode_of "$dest")" "$fate"
