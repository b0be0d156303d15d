#!/bin/sh
# Prints lines of a log, filtered here, so that a large log costs no more than its matches. Changes nothing. Runs in the
# container.
#
# $1 inner word, $2 path of a file or a pattern of several, or empty for the journal. $3 how lines are matched: fixed, regex or all;
# $4 the pattern, $5 lines of context. $6 how many matches or groups, $7 how many lines are left out, as earlier pages have shown
# them; $8 bytes at most, $9 tail for the last lines, head for the first ones, count or group. $10 the time of the first page,
# which times before now refer to, or empty. $11 what lines are grouped by: message, minute, hour, day, or text:PATTERN for the text
# that grep -oE finds. Then for a file: DEVICE:INODE that it must have, where an earlier page read it, first byte, and the byte after
# the last or empty, since, until. For the journal: cursor after which it begins, cursor of its last entry; units with commas,
# priority, since, until. Each may be empty. A file is decompressed if its name ends like one of gzip, xz, zstd or bzip2. The files
# of a pattern are read as one, the oldest first; what is said of a file is true for the newest.
#
# "WORD began" on both streams, then "WORD near SIZE NAME" for files with similar names, "WORD set SIZE NAME" for those of a
# pattern, and "WORD failed CODE TEXT" for a refusal, or "WORD file DEVICE:INODE FIRST LAST LINE", where LINE is the byte after the
# last complete line, or - in a compressed file; or "WORD silent UNIT" for units that never wrote to the journal, and "WORD journal
# CURSOR". "WORD clock SECONDS" is what times before now referred to. "WORD total MATCHES" follows where they are counted apart,
# for a count after the lines "WORD first LINE" and "WORD last LINE", and "WORD lines". Each line has its number and a colon in front,
# and grep's own number if it is from a file and has a match. "WORD first LINE" is the first of all matches if the last ones follow.
# After "WORD units", each line has grep's number, and its unit, which may be empty, and a tab in front of its text; and a count is
# followed by "WORD unit MATCHES NAME" for those with most matches, and "WORD names NUMBER". Groups are "WORD group LINES", the
# first and last time, and an example or the key, with tabs between them, and "WORD groups NUMBER DROPPED ERROR": how many there
# are, the lines of those that were dropped to bound the memory, and by how much counts may be too low. "WORD broken CODE" follows
# if a file could not be decompressed to its end, and "WORD ended" on both streams.
#
# The messages on stderr are kept: only they tell that the shell could not start a program, or that one was killed, which otherwise
# looks like a log without matches.
w=$1
LC_ALL=C; export LC_ALL
echo "$w began"
echo "$w began" >&2
exec 3>&2
end() { echo "$w ended"; echo "$w ended" >&3; exit 0; }
fail() { printf '%s failed %s %s\n' "$w" "$1" "$2"; end; }
has() { command -v "$1" >/dev/null; }
for d in /run/wrappers/bin /run/current-system/sw/bin /run/current-system/profile/bin; do
  [ ! -d "$d" ] || PATH=$PATH:$d
done
true >/dev/null || fail DEV_NULL
for t in grep head tail cut; do has "$t" || fail TOOL_MISSING "$t"; done
units=
path=$2 how=$3 pattern=$4 context=$5 count=$6 seen=$7 bytes=$8 keep=$9
shift 9
clock=$1 group=$2
shift 2
nl='
'
# A pattern that grep does not accept must not look like one without matches.
accepts() { said=$(echo | grep -aE -e "$1" 2>&1) || [ $? = 1 ] || fail PATTERN "${said%%"$nl"*}"; }
[ "$how" != regex ] || accepts "$pattern"
[ "${group#text:}" = "$group" ] || accepts "${group#text:}"
ends=
[ "$how" = all ] || [ "$context$seen$keep" != 00tail ] || ends=1
# Without -m, a search for the first lines would go on until there is one more match.
rows=$count
[ "$context" = 0 ] || rows=$((count * (2 * context + 2) - 1))
first_matches=
[ "$keep" != head ] || first_matches="-m $((seen + count))"
match() {
  # shellcheck disable=SC2086 # no argument if empty
  case $how in
    fixed) grep -aF $first_matches "$@" -e "$pattern";;
    regex) grep -aE $first_matches "$@" -e "$pattern";;
    *) case $1 in -c) grep -ac '';; *) cat;; esac;;
  esac
}
# Functions of awk. read_time sets t to the digits of the local time in the first 200 bytes of the line, zone to its seconds east of
# UTC, and at and len to its place in the line; t and zone are empty if there is none.
times='
    function digits(p, l) { return substr(s, p, l) + 0 }
    function month(p) { return (index("JanFebMarAprMayJunJulAugSepOctNovDec", substr(s, p, 3)) + 2) / 3 }
    function local(Y, M, D, p) { return sprintf("%04d%02d%02d", Y, M, D) substr(s, p, 2) substr(s, p + 3, 2) substr(s, p + 6, 2) }
    # Days are counted from March, so that a leap day is the last of its year.
    function seconds(t, zone,  Y, M, D, d) {
      Y = substr(t, 1, 4) + 0; M = substr(t, 5, 2) + 0; D = substr(t, 7, 2) + 0
      if (M <= 2) { Y--; M += 12 }
      d = 365 * Y + int(Y / 4) - int(Y / 100) + int(Y / 400) + int((153 * (M - 3) + 2) / 5) + D - 719469
      return d * 86400 + substr(t, 9, 2) * 3600 + substr(t, 11, 2) * 60 + substr(t, 13, 2) - zone
    }
    function offset(z,  v) {
      gsub(/:/, "", z)
      v = substr(z, 2, 2) * 3600 + substr(z, 4, 2) * 60
      return z ~ /^-/ ? -v : v
    }
    function read_time(line,  p, r, z, Y) {
      s = substr(line, 1, 200); t = ""; zone = ""; at = len = 0
      if (match(s, /[0-9][0-9][0-9][0-9][-\/][0-9][0-9][-\/][0-9][0-9][T ][0-9][0-9]:[0-9][0-9]:[0-9][0-9]/)) {
        at = p = RSTART
        t = local(digits(p, 4), digits(p + 5, 2), digits(p + 8, 2), p + 11)
        r = substr(s, p + 19)
        sub(/^[.,][0-9]+/, "", r)
        if (r ~ /^ ?(Z|UTC)([^A-Za-z]|$)/) { zone = 0; sub(/^ ?(Z|UTC)/, "", r) }
        else if (match(r, /^ ?[-+][0-9][0-9]:?[0-9][0-9]/)) {
          z = substr(r, 1, RLENGTH); r = substr(r, RLENGTH + 1)
          sub(/^ /, "", z); zone = offset(z)
        }
        len = length(s) - length(r) - p + 1
      } else if (match(s, /[0-9][0-9]\/[A-Z][a-z][a-z]\/[0-9][0-9][0-9][0-9]:[0-9][0-9]:[0-9][0-9]:[0-9][0-9] [-+][0-9][0-9][0-9][0-9]/)) {
        at = p = RSTART; len = RLENGTH
        t = local(digits(p + 7, 4), month(p + 3), digits(p, 2), p + 12)
        zone = offset(substr(s, p + 21, 5))
      } else if (match(s, /[JFMASOND][a-z][a-z] [ 0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]/)) {
        at = p = RSTART
        r = substr(s, p + 15)
        sub(/^[.][0-9]+/, "", r)
        Y = substr(now, 1, 4) + 0
        z = r ~ /^ [12][0-9][0-9][0-9]([^0-9]|$)/
        if (z) { Y = substr(r, 2, 4) + 0; r = substr(r, 6) }
        t = local(Y, month(p), digits(p + 4, 2), p + 7)
        # syslog has no year. Its lines are not of tomorrow.
        if (!z && t > now) t = local(Y - 1, month(p), digits(p + 4, 2), p + 7)
        len = length(s) - length(r) - p + 1
        if (p > 4 && substr(s, p - 4, 4) ~ /^[A-Z][a-z][a-z] $/) { at -= 4; len += 4 }
      }
    }'
# The bounds of the time, as seconds since the epoch (b, e) and as digits of the local time (B, E), for lines with a time zone and
# for those without. A line without a time belongs to the one before it.
in_time() {
  awk -v b="$b" -v B="$B" -v e="$e" -v E="$E" -v now="$now" -v probe="$1" "$times"'
    {
      read_time($0)
      if (t != "") {
        if (probe) { print "found"; exit }
        if (zone == "") inside = (B == "" || t >= B) && (E == "" || t <= E)
        else { u = seconds(t, zone); inside = (b == "" || u >= b + 0) && (e == "" || u <= e + 0) }
      }
      if (inside && !probe) print
    }'
}
# Counts the lines that are equal: by their time, or by their text without time, numbers and identifiers. Words are equal up to their first
# digit. So that memory is bounded, of more than 10,000 groups those with the fewest lines are dropped until half of them are left.
by_group() {
  awk -v w="$w" -v by="$1" -v most="$2" -v now="$now" "$times"'
    function drop(  k, low) {
      for (low = 1; names > 5000; low *= 2)
        for (k in lines) if (lines[k] <= low) {
          dropped += lines[k]; names--
          # The awk of busybox does not free a text that it deletes.
          from[k] = to[k] = text[k] = ""
          delete lines[k]; delete from[k]; delete to[k]; delete text[k]
        }
      error += low / 2
    }
    BEGIN { size = by == "minute" ? 12 : by == "hour" ? 10 : by == "day" ? 8 : 0 }
    {
      total++
      if (by == "text") key = $0
      else {
        read_time($0)
        if (size) {
          if (t != "") key = substr(t, 1, size)
          if (key == "") next
        }
        else {
          line = substr($0, 1, 400)
          if (at) {
            # With the brackets around the time.
            wide = substr($0, at - 1, 1) == "[" && substr($0, at + len, 1) == "]"
            line = substr($0, 1, at - 1 - wide) substr($0, at + len + wide, 400)
          }
          key = " " line
          if (key ~ /[0-9]/) {
            # The status of a request tells its outcome.
            status = match(key, /" [1-5][0-9][0-9] /) ? substr(key, RSTART, RLENGTH) : ""
            gsub(/[A-Za-z]+[0-9]+[A-Za-z]+[0-9][0-9A-Za-z]*/, "#", key)
            gsub(/[0-9][0-9A-Za-z]*/, "#", key)
            gsub(/[^0-9A-Za-z][A-Fa-f]+#/, "#", key)
            gsub(/[^0-9A-Za-z]#/, "#", key)
            gsub(/#+/, "#", key)
            key = key status
          }
        }
      }
      if (!(key in lines)) {
        if (names >= 10000) drop()
        names++
        if (!size) { text[key] = by == "text" ? key : line; from[key] = at ? substr($0, at, len) : "" }
      }
      lines[key]++
      if (at) to[key] = substr($0, at, len)
    }
    END {
      kept = names
      for (n = 0; n < most; n++) {
        best = ""; max = 0
        for (k in lines) if (size ? k > best || !max : lines[k] > max || (lines[k] == max && k < best)) { max = lines[k]; best = k }
        if (!max) break
        if (size) {
          show = substr(best, 1, 4) "-" substr(best, 5, 2) "-" substr(best, 7, 2)
          if (size > 8) show = show " " substr(best, 9, 2) ":" (size > 10 ? substr(best, 11, 2) : "00")
          print w " group " max "\t\t\t" show
        } else {
          show = substr(text[best], 1, 300)
          sub(/^[ \t]+/, "", show)
          print w " group " max "\t" from[best] "\t" to[best] "\t" show
        }
        delete lines[best]
      }
      print w " total " total + 0
      print w " groups " kept + 0 " " dropped + 0 " " error + 0
    }'
}
grouped() {
  case $group in
    text:*) grep -aoE -e "${group#text:}" | cut -b 1-400 | by_group text "$count";;
    *) cut -b 1-4000 | by_group "$group" "$count";;
  esac
}
page() {
  if [ "$keep" = head ]; then
    head -n "$((seen + rows))" | tail -n "+$((seen + 1))" | cut -b 1-4000 | head -c "$bytes"
  elif [ -n "$ends" ]; then
    # read takes no more than the first line.
    cut -b 1-4000 | if IFS= read -r l; then
      printf '%s first %s\n' "$w" "$l"
      { printf '%s\n' "$l"; cat; } | tail -n "$rows" | tail -c "$bytes"
    fi
  else
    tail -n "$((seen + rows))" | head -n "-$seen" | tail -n "$rows" | cut -b 1-4000 | tail -c "$bytes"
  fi
}
# The first line and the last one, and how many there are.
count_lines() {
  grep -an '' | cut -b 1-4000 | {
    if IFS= read -r l; then
      printf '%s first %s\n' "$w" "$l"
      l=$(tail -n 1)
      [ -z "$l" ] || printf '%s last %s\n' "$w" "$l"
      l=${l%%:*}
      echo "$w total ${l:-1}"
    else
      echo "$w total 0"
    fi
  }
}
# Puts the unit of each line of the journal and a tab in front of its text, or counts the lines of each unit. The units are those of the
# same entries in another format of journalctl, on file descriptor 6, which has as many lines. A program may write a newline into the
# name that only the first format shows, so what follows the name must be the same in both.
with_units() {
  awk -v w="$w" -v keep="$keep" '
    BEGIN { far = 60 }
    # Whether line i of the other format is that of s. Sets unit, and name to the unit or the name of the program.
    function same(i, s,  u, h, t, rest, header) {
      if (i < 1 || i > at || at - i >= 64) return 0
      u = ring[i % 64]; h = heads[i % 64]
      header = u !~ /^( |$)/
      if (!header) { sub(/^ +/, "", u); sub(/^ +/, "", s); if (u != s) return 0 }
      sub(/^[^ ]+ [^ ]+ [^ ]+ [^ ]+ /, "", h)
      t = match(h, /^[-A-Za-z0-9:_.@\\\/]+/) ? substr(h, 1, RLENGTH) : ""
      sub(/:$/, "", t)
      rest = substr(h, length(t) + 1)
      unit = name = ""
      if (header) {
        sub(/^[0-9]+-[^ ]+ /, "", s)
        if (length(s) < length(rest) || substr(s, length(s) - length(rest) + 1) != rest) return 0
        name = substr(s, 1, length(s) - length(rest))
      }
      if (t ~ /\.(service|scope|socket|mount|automount|timer|target|slice|swap|path|device)$/ && t != name) unit = t
      if (unit != "" || !header) name = t
      return 1
    }
    !match($0, /^[0-9]+[:-]/) { print; next }
    {
      n = substr($0, 1, RLENGTH - 1) + 0
      p = substr($0, 1, RLENGTH)
      s = substr($0, RLENGTH + 1)
      while (at < n - off && (getline u <"/proc/self/fd/6") > 0) {
        at++
        if (u !~ /^( |$)/) h = u
        ring[at % 64] = u; heads[at % 64] = h
      }
      for (d = 0; d <= far; d++) if (same(n - off - d, s)) { off += d; break }
      if (d > far) {
        if (++failed == 20000) far = 0
        unit = ""
        name = "(unknown)"
      }
      if (keep != "count") { print p unit "\t" s; next }
      line = substr(p unit "\t" s, 1, 4000)
      if (!total++) print w " first 1:" line
      if (!(name in lines) && ++names > 10000) { names--; next }
      lines[name]++
    }
    END {
      if (keep != "count") exit
      if (total > 1) print w " last " total ":" line
      print w " total " total + 0
      for (k = 0; k < 20; k++) {
        most = 0; best = ""
        for (name in lines) if (lines[name] > most || (lines[name] == most && name < best)) { most = lines[name]; best = name }
        if (most == 0) break
        print w " unit " most " " best
        delete lines[best]
      }
      print w " names " names + 0
    }'
}
# Sets m to the seconds since the epoch and M to the digits of the local time.
moment() {
  m='' M=''
  case $1 in
    '') return;;
    -*) m=$((clock + $1));;
    @*) m=${1#@}; m=${m%%.*};;
    *) m=$(date -d "$1" +%s);;
  esac
  M=$(date -d "@$m" +%Y%m%d%H%M%S)
  case $M in *[!0-9]* | '') fail NO_DATE "$1";; esac
}
# The first page sets the clock, so that times before now are the same on all pages.
set_clock() {
  case "$1/$2" in -* | */-*) ;; *) return;; esac
  [ -n "$clock" ] || clock=$(date +%s)
  echo "$w clock $clock"
}
# A time of the day becomes one of a date.
dated() {
  case $1 in
    today\ *) echo "$(date +%Y-%m-%d) ${1#* }";;
    yesterday\ *) echo "$(date -d "@$(($(date +%s) - 86400))" +%Y-%m-%d) ${1#* }";;
    *) echo "$1";;
  esac
}
# OpenWrt has no stat.
# shellcheck disable=SC2012,SC2034 # the columns before the name, of which some are of no interest
id_of() { stat -L -c '%d:%i %s' "$1" || ls -lniL "$1" | { read -r i x x x x l x; echo "0:$i $l"; }; }
near() {
  i=0
  for f in "$@"; do
    if [ -f "$f" ] && [ "$f" != "$path" ] && [ "$i" -lt 12 ]; then
      i=$((i + 1))
      l=$(id_of "$f")
      printf '%s near %s %s\n' "$w" "${l#* }" "$f"
    fi
  done
}
# Sets unpack to the program that decompresses a file, or to nothing.
packed() {
  case $1 in *.gz) unpack=gzip;; *.xz) unpack=xz;; *.zst) unpack=zstd;; *.bz2) unpack=bzip2;; *) unpack=;; esac
  [ -z "$unpack" ] || has "$unpack" || fail TOOL_MISSING "$unpack"
}
# Finds the files of the pattern, and sets order to their numbers, the oldest first. Each regular file with content is read once,
# whatever links to it match.
gather() {
  x=$IFS IFS=
  # shellcheck disable=SC2086 # expands the pattern
  set -- $path
  IFS=$x known=' ' order='' m=0
  for f in "$@"; do
    if [ ! -f "$f" ] || [ ! -s "$f" ]; then continue; fi
    case $f in /proc/* | /sys/*) continue;; esac
    [ -r "$f" ] || fail IO "$f: Permission denied"
    l=$(id_of "$f")
    case $known in *" ${l% *} "*) continue;; esac
    known="$known${l% *} " m=$((m + 1))
    [ "$m" -le 200 ] || fail TOO_MANY "$path"
    packed "$f"
    eval "f$m=\$f s$m=\${l#* }"
    # Of files with the same time, a higher number after the name is older.
    old=$order order='' x=$m
    for k in $old; do
      eval "l=\$f$k"
      # shellcheck disable=SC3013 # dash and busybox have -ot
      if [ -n "$x" ] && [ ! "$l" -ot "$f" ]; then order="$order $x" x=; fi
      order="$order $k"
    done
    [ -z "$x" ] || order="$order $x"
  done
  [ "$m" -gt 0 ] || fail SOURCE_NOT_FOUND "$path"
}
# The exit code is reported where the output of the pipe was. That of a program that was ended by the end of the pipe is no fault.
unpacked() {
  "$unpack" -dc <"$1"
  c=$?
  case $c in 0 | 141) ;; *) echo "$w broken $c" >&4;; esac
}
if [ -n "$path" ]; then
  file=$path order=
  case $path in *[*?[]*) [ -e "$path" ] || file=;; esac
  if [ -n "$file" ]; then
    near "$path"[.-]*
    if [ ! -e "$path" ]; then
      [ "$i" -gt 0 ] || near "${path%.*}" "${path%.*}".*
      fail SOURCE_NOT_FOUND "$path"
    fi
    [ ! -d "$path" ] || fail IS_A_DIRECTORY "$path"
    [ -f "$path" ] || fail NOT_A_REGULAR_FILE "$path"
    [ -r "$path" ] || fail IO "$path: Permission denied"
    # Their size is 0, and reading some of them never ends.
    case $path in /proc/* | /sys/*) fail PSEUDO_FILE "$path";; esac
  else
    gather
    # Lines that were written later are in the newest file.
    if [ "$2" != 0 ] || { [ -n "$1" ] && [ -z "$3" ] && [ "$seen" = 0 ]; }; then order=${order##* }; fi
    for k in $order; do
      eval "file=\$f$k l=\$s$k"
      printf '%s set %s %s\n' "$w" "$l" "$file"
    done
    order=${order% *}
    [ "$order" != "$k" ] || order=
  fi
  packed "$file"
  since=$(dated "$4") until=$(dated "$5")
  set -- "$1" "$2" "$3" "$(id_of "$file")"
  id=${4% *} size=${4#* } first=$2
  case $size in '' | *[!0-9]*) fail IO "$file: cannot read its size";; esac
  if [ -n "$1" ]; then
    if [ "$1" != "$id" ] || [ "$size" -lt "${3:-$2}" ]; then
      if [ -n "$3" ] || [ "$seen" != 0 ]; then fail ROTATED "$path"; fi
      echo "$w rotated"
      first=0
    fi
  fi
  size=${3:-$size}
  if [ "$size" = 0 ]; then
    newest() { :; }
    line=0
  elif [ -n "$unpack" ]; then
    newest() { unpacked "$file"; }
    line=-
  else
    newest() { tail -c "+$((first + 1))" "$file" | head -c "$((size - first))"; }
    line=$size
    if [ "$size" -gt "$first" ] && [ -n "$(tail -c "+$size" "$file" | head -c 1)" ]; then
      line=$((size - $(newest | tail -n 1 | wc -c)))
    fi
  fi
  # With a newline at the end of each file.
  raw() {
    for k in $order; do
      eval "f=\$f$k l=\$s$k"
      packed "$f"
      if [ -n "$unpack" ]; then unpacked "$f" | grep -a ''
      else
        head -c "$l" "$f"
        [ -z "$(tail -c 1 "$f")" ] || echo
      fi
    done
    packed "$file"
    newest
  }
  b='' B='' e='' E='' timed=
  case $group in minute | hour | day) timed=1;; esac
  [ -z "$since$until$group" ] || now=$(date +%Y%m%d%H%M%S)
  if [ -n "$since$until$timed" ]; then
    has awk || fail TOOL_MISSING awk
    set_clock "$since" "$until"
    moment "$since"; b=$m B=$M
    moment "$until"; e=$m E=$M
    if [ "$size" -gt 0 ] && [ -z "$(raw 4>/dev/null | head -n 1000 | in_time 1)" ]; then fail NO_TIMES "$path"; fi
    if [ -n "$since$until" ]; then read_log() { raw | in_time ''; }; else read_log() { raw; }; fi
  else
    read_log() { raw; }
  fi
  echo "$w file $id $first $size $line"
  number=-n
else
  has journalctl || fail NO_JOURNAL "journalctl is not installed"
  [ -z "$group" ] || now=$(date +%Y%m%d%H%M%S)
  after=$1 newest=$2 unit=$3 priority=$4 since=$(dated "$5") until=$(dated "$6")
  [ -n "$newest" ] || newest=$(journalctl -q --no-pager -n 1 -o cat --show-cursor | sed -n 's/^-- cursor: //p' | tail -n 1)
  t=${newest#*;t=}; t=${t%%;*}
  case $t in '' | *[!0-9a-f]*) fail NO_JOURNAL "the journal has no entries";; esac
  set_clock "$since" "$until"
  ago() { case $1 in -*) echo "@$((clock + $1))";; *) echo "$1";; esac; }
  end=$(ago "$until")
  if [ -z "$end" ]; then end=$(printf '@%d.%06d' "$((0x$t / 1000000))" "$((0x$t % 1000000))"); fi
  set -- -q --no-pager -a -o short-iso "--until=$end"
  if journalctl --help | grep -q -e --no-hostname; then set -- "$@" --no-hostname; fi
  x=$IFS IFS=,
  set -f
  for u in $unit; do
    set -- "$@" "--unit=$u"
    # journalctl accepts the names of units that do not exist.
    [ -n "$(journalctl -q --no-pager -n 1 -o short "--unit=$u")" ] || echo "$w silent $u"
  done
  set +f
  IFS=$x
  [ -z "$priority" ] || set -- "$@" "--priority=$priority"
  # journalctl takes only one of these.
  if [ -n "$after" ]; then
    journalctl -q -n 0 "--after-cursor=$after" >/dev/null || fail ROTATED "the journal"
    set -- "$@" "--after-cursor=$after"
  elif [ -n "$since" ]; then
    set -- "$@" "--since=$(ago "$since")"
  elif [ "$how" = all ] && [ "$keep" = tail ]; then
    # With -n alone, journalctl counts entries after --until too, and with --since or a cursor it prints the first ones. So the
    # oldest of the entries is searched backwards. There is none if there are fewer entries.
    oldest=$(journalctl "$@" -r -n "$((seen + count))" -o cat --show-cursor | sed -n 's/^-- cursor: //p' | tail -n 1)
    [ -z "$oldest" ] || set -- "$@" "--cursor=$oldest"
  fi
  # journalctl refuses a time after which there are no entries, because the newest entry is the end.
  if [ -z "$until$after" ] && ! journalctl "$@" -n 0 >/dev/null; then set -- "$@" "--until=$(ago "$since")"; fi
  journalctl "$@" -n 0 >/dev/null || fail REFUSED "journalctl does not accept unit, priority, since or until"
  read_log() { journalctl "$@"; }
  echo "$w journal $newest"
  number=
  # The unit is known if it is given as a name. -o with-unit exists since systemd 239.
  case $unit in
    '' | *[*?[,]*)
      if [ "$keep" != group ] && has awk && [ -r /proc/self/fd ] && journalctl -q -n 0 -o with-unit >/dev/null; then
        echo "$w units"
        units=1 number=-n
        [ "$how" != all ] || how=fixed
      fi;;
  esac
fi
show_units() { if [ -n "$units" ]; then with_units; else cat; fi; }
# shellcheck disable=SC2086 # no argument if empty
answer() {
  if [ "$keep" = group ]; then read_log "$@" | match | grouped
  elif [ "$keep" != count ]; then
    read_log "$@" |
      if [ "$context" = 0 ]; then match $number; else match $number -C "$context"; fi |
      show_units | grep -an '' | page
  elif [ -n "$units" ]; then read_log "$@" | match -n | with_units
  elif [ "$how" = all ]; then echo "$w total $(read_log "$@" | match -c)"
  else read_log "$@" | match $number | count_lines
  fi
}
if [ "$context" != 0 ] && [ "$keep" = tail ]; then echo "$w total $(read_log "$@" 4>/dev/null | match -c)"; fi
case $keep in head | tail) echo "$w lines";; group) has awk || fail TOOL_MISSING awk;; esac
{ broken=$({
  if [ -z "$units" ]; then answer "$@" >&5
  else journalctl "$@" -o with-unit | { exec 6<&0 </dev/null; answer "$@" >&5; }
  fi; } 4>&1); } 5>&1
[ -z "$broken" ] || echo "$broken"
end
