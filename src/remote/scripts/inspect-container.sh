#!/bin/sh
# Prints facts that only the container itself knows, and changes nothing in it. Runs in the container.
#
# $1 inner word, $2 sections separated by spaces. "WORD began" and "WORD ended" enclose the report. "WORD part NAME" begins each
# part of it, "WORD code NAME NUMBER" reports the exit code of its command, and "WORD done SECTION" ends a section: without
# these, an empty part does not mean that there is nothing. "WORD missing PROGRAM" means that nothing is read. Commands that may hang come last, so that the other parts are complete when the time limit is exceeded.
# Package lists are not refreshed: no package manager may use the network or write its cache.
echo "$1 began"
exec 2>/dev/null
LC_ALL=C; export LC_ALL
w=$1 sections=$2
# NixOS and Guix keep their programs here.
for d in /run/wrappers/bin /run/current-system/sw/bin /run/current-system/profile/bin; do
  [ ! -d "$d" ] || PATH=$PATH:$d
done
cd /
wants() { case " $sections " in *" $1 "*) ;; *) return 1;; esac; }
has() { command -v "$1" >/dev/null; }
part() { echo "$w part $1"; }
# Prints the lines of a command's output that match $3, at most $2, as the part $1.
run() {
  name=$1 most=$2 pattern=$3
  shift 3
  part "$name"
  { code=$({ { "$@" 3>&- 4>&-; echo "$?" >&4; } | grep -aE "$pattern" | head -n "$most" | cut -c 1-600 >&3; } 4>&1); } 3>&1
  echo "$w code $name $code"
}
# With its error messages, from which the reason of a failure is taken.
both() { "$@" 2>&1; }
any() { for f in "$@"; do [ ! -e "$f" ] || return 0; done; return 1; }
for t in grep head cut; do
  has "$t" || { echo "$w missing $t"; sections=; }
done
if wants system; then
  part os; head -c 4000 /etc/os-release || head -c 4000 /usr/lib/os-release
  part zone; date '+%Z %z'
  echo "$w done system"
fi
if wants services; then
  if [ -d /run/systemd/system ] && has systemctl; then
    run systemd-failed 100 . both systemctl list-units --failed --plain --no-legend --no-pager
    # An empty line follows each unit.
    run systemd-restarts 1500 '^(|(Id|NRestarts|SubState)=.*)$' systemctl show '*.service' -p Id -p NRestarts -p SubState --no-pager
  elif [ -e /run/openrc/softlevel ] && has rc-status; then
    run openrc 300 . both rc-status -a
  fi
  if has sv; then
    for d in /var/service /etc/service /service /etc/runit/runsvdir/current; do
      if any "$d"/*; then run runit 200 . both sv status "$d"/*; break; fi
    done
  fi
  if has s6-svstat; then
    s6_status() { for s in "$@"; do s=${s%/}; echo "${s##*/}: $(s6-svstat "$s" 2>&1)"; done; }
    for d in /run/service /run/s6/services /var/run/s6/services /run/s6-rc/servicedirs; do
      if any "$d"/*/; then run s6 200 . s6_status "$d"/*/; break; fi
    done
  fi
  echo "$w done services"
fi
if wants logs; then
  if has journalctl && [ -n "$(journalctl -q -n 1 -o short --no-pager)" ]; then
    run journal 400 . both journalctl -q -p err -n 20 -o short-iso --no-pager
  else
    errors() {
      tail -c 1000000 "$1" |
        grep -aiE '(^|[^a-z])(error|fatal|crit|critical|panic|fail|failed|failure|segfault)([^a-z]|$)' | tail -n 20
    }
    for f in /var/log/syslog /var/log/messages; do
      if [ -f "$f" ] && [ -r "$f" ] && has tail; then run "file $f" 20 . errors "$f"; break; fi
    done
  fi
  echo "$w done logs"
fi
if wants updates; then
  # Runs a package manager that writes a log, temporary files and locks in its caches $1. All get file systems that end with this process;
  # the caches appear in them as links. The exit code 97 means that the container does not allow this.
  privately() {
    unshare -m true || return 97
    # shellcheck disable=SC2016 # for the inner shell
    unshare -m sh -c '
      mount -t tmpfs none /var/log && mount -t tmpfs none /var/tmp || exit 97
      for c in $1; do
        [ -d "$c" ] || continue
        o=/var/log/${c##*/}
        mkdir "$o" && mount -o bind,ro "$c" "$o" && mount -t tmpfs none "$c" && ln -s "$o"/* "$c" || exit 97
      done
      shift
      exec "$@"' sh "$@" 2>&1
  }
  # When the newest of the package lists was fetched; nothing if there are none.
  lists() {
    part lists
    if any "$@"; then t=$(stat -c %Y "$@" | sort -n | tail -n 1); echo "${t:-unknown}"; fi
  }
  if has apt-get; then
    if [ -e /run/reboot-required ]; then part restart; fi
    # The folder has the time of the last change; the lists have those of the server, and a failed update changes partial.
    if any /var/lib/apt/lists/*Release; then lists /var/lib/apt/lists /var/lib/apt/periodic/update-success-stamp; else lists; fi
    run apt 600 '^(Inst|E:) ' both apt-get -qq -s -o Debug::NoLocking=true -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= dist-upgrade
  elif has apk; then
    lists /var/cache/apk/APKINDEX* /etc/apk/cache/APKINDEX*
    run apk 1000 . both apk --no-network version -v -l '<'
  elif has dnf; then
    lists /var/cache/dnf/*/repodata /var/cache/libdnf5/*/repodata
    c='/var/cache/dnf /var/cache/libdnf5'
    run dnf 1000 . privately "$c" dnf -q -C check-update
    run dnf-security 1000 . privately "$c" dnf -q -C updateinfo list --security
  elif has zypper; then
    lists /var/cache/zypp/raw/*
    # Without its lock, which would make another zypper fail.
    run zypper 1000 . privately /var/cache/zypp env ZYPP_READONLY_HACK=1 zypper --no-refresh -n -q list-updates
  elif has pacman; then
    lists /var/lib/pacman/sync/*.db
    run pacman 1000 . both pacman -Qu
  fi
  echo "$w done updates"
fi
if wants disk; then
  # The root by itself first, because another file system may hang.
  run root 3 . df -P -k /
  run inodes 300 . df -P -i
  run mounts 300 . df -P -k
  echo "$w done disk"
fi
echo "$w ended"
