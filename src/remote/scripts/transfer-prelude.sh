#!/bin/sh
# shellcheck disable=SC2034 # large and digest are read by download.sh and upload.sh, which follow this script
# The far side of a file transfer, as POSIX sh that busybox runs too. Both report on stdout in lines that
# begin with a nonce ($1), which no content can guess: "NONCE fail CODE" followed by the text of the failure, or
# "NONCE ready …". Paths reach them as arguments and are absolute, so that none can be taken for an option.
n=$1 nl='
'
LC_ALL=C; export LC_ALL
fail() { printf '%s fail %s\n%s\n' "$n" "$1" "$2"; exit 0; }
for t in head sha256sum stat readlink wc; do
  command -v "$t" >/dev/null 2>&1 || fail TOOL_MISSING "$t"
done
follow() {
  path=$1
  [ -L "$1" ] || return 0
  path=$(readlink -f "$1" && printf x) || return 1
  path=${path%x}; path=${path%"$nl"}
}
# openssl knows the processor's own instructions and is four times as fast, but takes longer to start.
digest=sha256sum
choose_digest() {
  large=; [ "$1" -gt 16777216 ] || return 0
  large=1; ! command -v openssl >/dev/null 2>&1 || digest='openssl dgst -sha256 -r'
}
length() { printf '%s' "$1" | wc -c | { read -r l; printf '%s' "$l"; }; }
