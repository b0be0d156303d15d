#!/bin/sh
# shellcheck disable=SC2154 # what is not set here is set by transfer-prelude.sh and receive-prelude.sh, which precede this script
# Sends a file on stdout, receives its new content on stdin, and replaces the file at once or not at all.
#
# $2 path, $3 the most bytes of the file, $4 begin of the names of temporary files. All refusals come before anything is written;
# then "WORD ready SIZE MODE UID:GID LINKS USER GROUP", the path with symlinks resolved as data, the content as data, and
# "WORD done SHA256". Then the sender sends a line "SIZE LENGTH SECONDS WHEN" and the new content. The temporary file $4.part has
# the suffix of the file, and begins as a copy of it, so that it has its owner, mode and attributes. "WORD done SHA256" of what
# is on the disk; only when the sender answers with the word in a line, followed by LENGTH bytes of a command that validates
# the content, the file is replaced, if it is still what was sent. WHEN is "none", "before" or "after" the file is
# replaced. End of input before that removes everything. (The command comes last: the head of busybox reads ahead.) "WORD validated CODE", its output as data, then "WORD published MODE ATTRIBUTES" or "WORD kept".
# ATTRIBUTES: "kept" or "lost" for extended attributes and ACLs, "unknown" where no program can tell.

[ -e "$2" ] || fail SOURCE_NOT_FOUND "$2"
follow "$2" || fail SOURCE_NOT_FOUND "$2"
dest=$path dir=${path%/*} old=
[ ! -d "$dest" ] || fail IS_A_DIRECTORY "$dest"
[ -f "$dest" ] || fail NOT_A_REGULAR_FILE "$dest"
[ -r "$dest" ] || fail IO "$dest: Permission denied"
# shellcheck disable=SC2015 # refuses if a command before || fails
bytes=$(size_of "$dest") && mode=$(mode_of "$dest") && own=$(owner_of "$dest") || fail IO "$dest: cannot read its size"
! is_unsized "$bytes" || fail PSEUDO_FILE "$dest"
[ "$bytes" -le "$3" ] || fail FILE_TOO_LARGE "$bytes"
set -f
# shellcheck disable=SC2046 # split into fields
set -- "$@" $(links_and_names_of "$dest" || echo "1 - -")
set +f
printf '%s ready %s %s %s %s %s %s\n' "$w" "$bytes" "$mode" "$own" "${5:-1}" "${6:--}" "${7:--}"
send_text "$dest"
printf '%s data %s\n' "$w" "$bytes"
[ "$bytes" = 0 ] || head -c "$bytes" "$dest"
hash_of() { h=$(sha256sum <"$1") && h=${h%% *}; }
hash_of "$dest" || fail IO "$dest cannot be read"
before=$h
printf '%s done %s\n' "$w" "$before"
read -r size length seconds when || exit 0

# The old file is put back if the script ends between its replacement and the end of the validation.
# A link to the file itself is not moved, so it is removed then.
restore() { [ -z "$old" ] || { mv -f "$old" "$dest" 2>/dev/null; rm -f "$old"; }; old=; }
discard() { [ -z "$tmp" ] || rm -f "$tmp"; tmp=; restore; }
case ${dest##*/} in ?*.?*) suffix=.${dest##*.};; *) suffix=;; esac
[ ${#suffix} -le 64 ] || suffix=
# The name is put into the command that validates.
case $suffix in *[!A-Za-z0-9._-]*) suffix=;; esac
new=$dir/$4.part$suffix
err=$( (set -C; : >"$new") 2>&1) || fail IO "$err"
tmp=$new
! is_foreign || give_up IO "$err"
err=$(cp -a "$dest" "$tmp" 2>&1) || err=$(cp -p "$dest" "$tmp" 2>&1) || {
  if is_full; then give_up FULL "$err"; else give_up IO "$err"; fi
}
if [ "$size" = 0 ]; then : >"$tmp"; else receive; fi
# Writing to a file removes its capabilities. Programs other than the cp of GNU have no such option, and those that have it report
# every attribute that they cannot copy.
attributes=unknown
! cp --attributes-only --preserve=mode,ownership,xattr "$dest" "$tmp" 2>/dev/null || attributes=kept
[ "$(owner_of "$tmp")" = "$own" ] || { err=$(chown -- "$own" "$tmp" 2>&1) || give_up IO "$err"; }
[ "$(mode_of "$tmp")" = "$mode" ] || { err=$(chmod "$mode" "$tmp" 2>&1) || give_up IO "$err"; }
hash_of "$tmp" || give_up IO "cannot read the file back"
stored=$h
printf '%s done %s\n' "$w" "$stored"
read -r verdict
[ "$verdict" = "$w" ] || { discard; exit 0; }
cmd=$(cat; echo x); cmd=${cmd%x}
[ "$(length "$cmd")" = "$length" ] || { discard; exit 0; }

attributes_of() { getfattr -d -m - -e hex --absolute-names "$1" 2>/dev/null | grep -v '^# file:'; }
acl_of() { list=$(ls -ld "$1"); list=${list%% *}; [ "${list#??????????}" = + ]; }
if [ "$attributes" = kept ]; then
  :
elif command -v getfattr >/dev/null 2>&1; then
  attributes=lost
  [ "$(attributes_of "$dest")" != "$(attributes_of "$tmp")" ] || attributes=kept
elif acl_of "$dest" && ! acl_of "$tmp"; then
  attributes=lost
fi
unchanged() { hash_of "$dest"; [ "$h" = "$before" ] || give_up CHANGED "$dest"; }
# A process that the command leaves in the background may keep its output open, so another process passes the output on, and is ended
# shortly after the command. Sets code to the exit code, and out to the end of the output.
run_validation() {
  out=$( {
    {
      { (unset LC_ALL; cd "${HOME:-/}" || cd /; exec $limit "$s" -c "$cmd") </dev/null 2>&1 3>&- 4>&-; echo "code $?" >&3; } |
        sh -c 'echo "pid $$" >&3; exec cat >&4 3>&-' &
    } 3>&1 | {
      pid='' code=''
      while [ -z "$pid" ] || [ -z "$code" ]; do
        read -r name value || break
        case $name in pid) pid=$value;; code) code=$value;; esac
      done
      i=0
      while [ "$i" -lt 10 ] && kill -0 "$pid"; do sleep 0.03 || sleep 1; i=$((i + 1)); done
      kill "$pid"
      printf '\n%s' "${code:-unknown}" >&4
    } 2>/dev/null
  } 4>&1 | tail -c 8000)
  code=${out##*"$nl"} out=${out%"$nl"*}
}
validate() {
  s='sh'; ! command -v bash >/dev/null 2>&1 || s=bash
  limit=
  ! timeout -s KILL 5 true >/dev/null 2>&1 || limit="timeout -s KILL $seconds"
  touched=
  run_validation
  # The command may have killed what reports its exit code.
  case $code in '' | *[!0-9]*) code=137;; esac
  if [ "$code" = 0 ]; then
    # What is published is what was requested, not what a formatter makes of it.
    h=''; hash_of "$1" 2>/dev/null
    [ "$h $(mode_of "$1") $(owner_of "$1")" = "$stored $mode $own" ] || touched=1
  fi
  if [ "$code$touched" != 0 ]; then discard; fi
}
tell() { printf '%s validated %s\n' "$w" "$code"; send_text "$out"; [ -z "$touched" ] || fail TOUCHED "$dest"; }
publish() { err=$(mv -f "$tmp" "$dest" 2>&1) || give_up IO "$err"; tmp=; }
case $when in
  before)
    validate "$tmp"; tell
    [ "$code" = 0 ] || { printf '%s kept\n' "$w"; exit 0; }
    unchanged; publish;;
  after)
    unchanged
    old=$dir/$4.old
    err=$(ln "$dest" "$old" 2>&1) || err=$(cp -a "$dest" "$old" 2>&1) || { rm -f "$old"; old=; give_up IO "$err"; }
    publish
    validate "$dest"
    if [ "$code$touched" = 0 ]; then rm -f "$old"; old=; fi
    tell
    [ "$code" = 0 ] || { printf '%s kept\n' "$w"; exit 0; };;
  *) unchanged; publish;;
esac
printf '%s published %s %s\n' "$w" "$(mode_of "$dest")" "$attributes"
