#!/bin/sh
# Prints lines of a log, filtered here, so that a large log costs no more than its matches. Changes nothing. Runs in the
# container.
#
# $1 inner word, $2 path of a file, or empty for the journal. $3 how lines are matched: fixed, regex or all; $4 the pattern,
# $5 lines of context. $6 how many lines, $7 how many lines at the end are left out, as earlier pages have shown them; $8 bytes at
# most, $9 1 to count only. Then for a file: DEVICE:INODE that it must have, where an earlier page read it, first byte, and the
# byte after the last or empty. For the journal: cursor after which it begins, cursor of its last entry; unit, priority, since,
# until. Each may be empty.
#
# "WORD began" on both streams, then "WORD failed CODE TEXT" for a refusal, or "WORD file DEVICE:INODE FIRST LAST LINE", where
# LINE is the byte after the last complete line, or "WORD journal CURSOR"; "WORD total MATCHES" where they are counted apart,
# and "WORD lines". Each line has its number and a colon in front, and grep's own number if it is from a file and has a match.
# "WORD ended" follows on both streams.
w=$1
LC_ALL=C; export LC_ALL
echo "$w began"
echo "$w began" >&2
exec 3>&2 2>/dev/null
end() { echo "$w ended"; echo "$w ended" >&3; exit 0; }
fail() { printf '%s failed %s %s\n' "$w" "$1" "$2"; end; }
has() { command -v "$1" >/dev/null; }
for d in /run/wrappers/bin /run/current-system/sw/bin /run/current-system/profile/bin; do
  [ ! -d "$d" ] || PATH=$PATH:$d
done
true >/dev/null || fail DEV_NULL
for t in grep head tail cut; do has "$t" || fail TOOL_MISSING "$t"; done
path=$2 how=$3 pattern=$4 context=$5 count=$6 seen=$7 bytes=$8 only=$9
shift 9
match() {
  case $how in
    fixed) grep -aF "$@" -e "$pattern";;
    regex) grep -aE "$@" -e "$pattern";;
    *) case $1 in -c) grep -ac '';; *) cat;; esac;;
  esac
}
if [ -n "$path" ]; then
  [ -e "$path" ] || fail SOURCE_NOT_FOUND "$path"
  [ ! -d "$path" ] || fail IS_A_DIRECTORY "$path"
  [ -f "$path" ] || fail NOT_A_REGULAR_FILE "$path"
  [ -r "$path" ] || fail IO "$path: Permission denied"
  # Their size is 0, and reading some of them never ends.
  case $path in /proc/* | /sys/*) fail PSEUDO_FILE "$path";; esac
  # OpenWrt has no stat.
  # shellcheck disable=SC2012,SC2034 # the columns before the name, of which some are of no interest
  set -- "$1" "$2" "$3" "$(stat -L -c '%d:%i %s' "$path" || ls -lniL "$path" | { read -r i x x x x s x; echo "0:$i $s"; })"
  id=${4% *} size=${4#* } first=$2
  case $size in '' | *[!0-9]*) fail IO "$path: cannot read its size";; esac
  if [ -n "$1" ]; then
    if [ "$1" != "$id" ] || [ "$size" -lt "${3:-$2}" ]; then
      [ -z "$3" ] || fail ROTATED "$path"
      echo "$w rotated"
      first=0
    fi
  fi
  size=${3:-$size}
  read_log() { tail -c "+$((first + 1))" "$path" | head -c "$((size - first))"; }
  line=$size
  if [ "$size" -gt "$first" ] && [ -n "$(tail -c "+$size" "$path" | head -c 1)" ]; then
    line=$((size - $(read_log | tail -n 1 | wc -c)))
  fi
  echo "$w file $id $first $size $line"
  number=-n
else
  has journalctl || fail NO_JOURNAL "journalctl is not installed"
  after=$1 newest=$2 unit=$3 priority=$4 since=$5 until=$6
  [ -n "$newest" ] || newest=$(journalctl -q --no-pager -n 1 -o cat --show-cursor | sed -n 's/^-- cursor: //p' | tail -n 1)
  t=${newest#*;t=}; t=${t%%;*}
  case $t in '' | *[!0-9a-f]*) fail NO_JOURNAL "the journal has no entries";; esac
  # Seconds before now, by the clock of the container.
  ago() { case $1 in -*) echo "@$(($(date +%s) + $1))";; *) echo "$1";; esac; }
  until=$(ago "$until")
  if [ -z "$until" ]; then until=$(printf '@%d.%06d' "$((0x$t / 1000000))" "$((0x$t % 1000000))"); fi
  set -- -q --no-pager -a -o short-iso "--until=$until"
  if journalctl --help | grep -q -e --no-hostname; then set -- "$@" --no-hostname; fi
  [ -z "$unit" ] || set -- "$@" "--unit=$unit"
  [ -z "$priority" ] || set -- "$@" "--priority=$priority"
  # journalctl takes only one of these.
  if [ -n "$after" ]; then
    journalctl -q -n 0 "--after-cursor=$after" >/dev/null || fail ROTATED "the journal"
    set -- "$@" "--after-cursor=$after"
  elif [ -n "$since" ]; then
    set -- "$@" "--since=$(ago "$since")"
  fi
  if [ "$how" = all ] && [ -z "$only" ]; then set -- "$@" -n "$((seen + count))"; fi
  journalctl "$@" -n 0 >/dev/null || fail REFUSED "journalctl does not accept unit, priority, since or until"
  read_log() { journalctl "$@"; }
  echo "$w journal $newest"
  number=
fi
if [ -n "$only" ]; then
  echo "$w total $(read_log "$@" | match -c)"
  end
fi
if [ "$context" != 0 ]; then echo "$w total $(read_log "$@" | match -c)"; fi
echo "$w lines"
# shellcheck disable=SC2086 # no argument if empty
read_log "$@" |
  if [ "$context" = 0 ]; then match $number; else match $number -C "$context"; fi |
  grep -an '' | tail -n "$((seen + count))" | head -n "-$seen" | tail -n "$count" | cut -b 1-4000 | tail -c "$bytes"
end
