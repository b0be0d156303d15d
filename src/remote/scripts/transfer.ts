/**
 * The far side of a file transfer, as POSIX sh that busybox runs too. Both report on stdout in lines that
 * begin with a nonce ($1), which no content can guess: "NONCE fail CODE" followed by the text of the failure, or
 * "NONCE ready …". Paths reach them as arguments and are absolute, so that none can be taken for an option.
 */

const PRELUDE = `n=$1 nl='
'
LC_ALL=C; export LC_ALL
fail() { printf '%s fail %s\\n%s\\n' "$n" "$1" "$2"; exit 0; }
for t in head sha256sum stat readlink wc; do
  command -v "$t" >/dev/null 2>&1 || fail TOOL_MISSING "$t"
done
follow() {
  path=$1
  [ -L "$1" ] || return 0
  path=$(readlink -f "$1" && printf x) || return 1
  path=\${path%x}; path=\${path%"$nl"}
}
# openssl knows the processor's own instructions and is four times as fast, but takes longer to start.
digest=sha256sum
choose_digest() {
  large=; [ "$1" -gt 16777216 ] || return 0
  large=1; ! command -v openssl >/dev/null 2>&1 || digest='openssl dgst -sha256 -r'
}
length() { printf '%s' "$1" | wc -c | { read -r l; printf '%s' "$l"; }; }
`;

/**
 * Receives a file on stdin and publishes it at once or not at all.
 *
 * $2 destination, $3 size in bytes, $4 mode or "", $5 owner or "", $6 group or "", $7 1 to overwrite,
 * $8 name of the temporary file. All refusals come before anything is written; then "ready LENGTH" and the
 * destination with symlinks resolved. After the data "done SIZE SHA256" of what is on the disk; only when the
 * sender answers with the nonce the file is given its place. End of input before that removes everything.
 * Without overwrite the last step is a hard link, which fails if somebody else created the file meanwhile.
 */
export const UPLOAD_SCRIPT = `${PRELUDE}
size=$3 perm=$4 owner=$5 group=$6 over=$7
umask 077
tmp=
discard() { [ -z "$tmp" ] || rm -f "$tmp"; tmp=; }
trap 'discard; exit 1' HUP INT TERM PIPE
give_up() { discard; fail "$1" "$2"; }
follow "$2" || fail DIRECTORY_NOT_FOUND "the target of the link has no directory"
dest=$path old=
[ ! -d "$dest" ] || fail IS_A_DIRECTORY "$dest"
dir=\${dest%/*}
[ -d "$dir/" ] || fail DIRECTORY_NOT_FOUND "$dir"
if [ -e "$dest" ]; then
  [ -f "$dest" ] || fail NOT_A_REGULAR_FILE "$dest"
  [ "$over" = 1 ] || fail FILE_EXISTS "$dest"
  old=$(stat -c '%a %u:%g' "$dest") || fail IO "cannot read mode and owner"
fi
tmp=$dir/$8
err=$( (set -C; : >"$tmp") 2>&1) || { tmp=; fail IO "$err"; }
printf '%s ready %s\\n%s' "$n" "$(length "$dest")" "$dest"
# busybox calls every failure to write an I/O error, so the free space is asked.
is_full() { set -- $(stat -f -c '%f %S' "$dir/" 2>/dev/null) 1 0; [ $(($1 * $2)) -lt $((size - $(stat -c %s "$tmp"))) ]; }
receive() {
  if ! err=$(head -c "$size" 2>&1 >"$tmp"); then
    if is_full; then give_up FULL "$err"; else give_up IO "$err"; fi
  fi
  got=$(stat -c %s "$tmp")
  [ "$got" = "$size" ] || give_up SHORT "$got"
}
choose_digest "$size"
if [ -z "$large" ] || [ "$digest" != sha256sum ]; then
  [ "$size" = 0 ] || receive
  sum=$($digest <"$tmp") || give_up IO "cannot read the file back"
else
  # Reads back what is on the disk already, while the rest is on its way. Each cat goes on where the one before has ended.
  exec 3<&0
  receive <&3 &
  sum=$(
    {
      while [ "$(stat -c %s "$tmp")" -lt "$size" ]; do cat; sleep 0.1 || sleep 1; done
      cat
    } <"$tmp" 2>/dev/null | $digest
  )
  wait
  # Gone: receive has said why.
  [ -e "$tmp" ] || exit 0
fi
printf '%s done %s %s\\n' "$n" "$size" "\${sum%% *}"
read -r verdict
[ "$verdict" = "$n" ] || { discard; exit 0; }
own=$owner; [ -z "$group" ] || own=$owner:$group
if [ -n "$old" ]; then
  now=$(stat -c '%u:%g' "$tmp") keep=\${old#* }
  if [ "$now" != "$keep" ]; then err=$(chown -- "$keep" "$tmp" 2>&1) || give_up IO "$err"; fi
fi
if [ -n "$own" ]; then err=$(chown -- "$own" "$tmp" 2>&1) || give_up OWNER "$err"; fi
mode=\${perm:-\${old%% *}}
err=$(chmod "\${mode:-644}" "$tmp" 2>&1) || give_up IO "$err"
[ ! -d "$dest" ] || give_up IS_A_DIRECTORY "$dest"
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
printf '%s published %s %s\\n' "$n" "$(stat -c %a "$dest")" "\${old:+replaced}"
`;

/**
 * Sends a file on stdout.
 *
 * $2 path, $3 the most bytes that are allowed. "ready SIZE MODE LENGTH" and the path with symlinks resolved, then
 * exactly SIZE bytes, then "done SHA256" of the first SIZE bytes read once more, so that a log file may
 * grow meanwhile.
 */
export const DOWNLOAD_SCRIPT = `${PRELUDE}
[ -e "$2" ] || fail SOURCE_NOT_FOUND "$2"
follow "$2" || fail SOURCE_NOT_FOUND "$2"
[ ! -d "$path" ] || fail IS_A_DIRECTORY "$path"
[ -f "$path" ] || fail NOT_A_REGULAR_FILE "$path"
[ -r "$path" ] || fail IO "$path: Permission denied"
size=$(stat -c %s "$path") && mode=$(stat -c %a "$path") || fail IO "$path: cannot read its size"
if [ "$size" = 0 ] && [ "$(head -c 1 "$path" 2>/dev/null | wc -c)" -gt 0 ]; then fail PSEUDO_FILE "$path"; fi
[ "$size" -le "$3" ] || fail FILE_TOO_LARGE "$size"
printf '%s ready %s %s %s\\n%s' "$n" "$size" "$mode" "$(length "$path")" "$path"
if [ "$size" != 0 ]; then head -c "$size" "$path" || exit 1; fi
choose_digest "$size"
if [ "$(stat -c %s "$path")" = "$size" ]; then sum=$($digest <"$path"); else sum=$(head -c "$size" "$path" | $digest); fi
printf '%s done %s\\n' "$n" "\${sum%% *}"
`;
