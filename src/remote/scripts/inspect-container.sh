#!/bin/sh
# Prints facts that only the container itself knows, and changes nothing in it. Runs in the container.
#
# $1 inner word, $2 sections with a space between. "WORD began" and "WORD ended" enclose the report, and "WORD part NAME"
# begins each part of it. What may hang comes last, so that the rest is there when the time is over. Package lists are not
# refreshed: a package manager gets neither the network nor a cache to write.
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
if wants system; then
  part os; head -c 4000 /etc/os-release || head -c 4000 /usr/lib/os-release
  part zone; date '+%Z %z'
fi
if wants services; then
  if [ -d /run/systemd/system ] && has systemctl; then
    part systemd-state; systemctl is-system-running
    part systemd-failed; systemctl list-units --failed --plain --no-legend --no-pager | head -n 100
    part systemd-restarts
    systemctl show '*.service' -p Id -p NRestarts -p SubState --no-pager | grep -E '^(Id|NRestarts|SubState)=' | head -n 1500
  elif has rc-status; then
    part openrc; rc-status -a | head -n 300
  fi
  if has sv; then
    for d in /var/service /etc/service /service /etc/runit/runsvdir/current; do
      if [ -d "$d" ]; then part runit; sv status "$d"/* | head -n 200; break; fi
    done
  fi
  if has s6-svstat; then
    for d in /run/service /run/s6/services /var/run/s6/services /run/s6-rc/servicedirs; do
      if [ -d "$d" ]; then
        part s6
        for s in "$d"/*/; do
          case $s in */.*) ;; *) s=${s%/}; echo "${s##*/}: $(s6-svstat "$s")";; esac
        done | head -n 200
        break
      fi
    done
  fi
fi
if wants logs; then
  if has journalctl && [ -n "$(journalctl -q -n 1 -o cat --no-pager)" ]; then
    part journal; journalctl -q -p err -n 20 -o short-iso --no-pager | cut -c 1-400
  else
    for f in /var/log/syslog /var/log/messages; do
      if [ -f "$f" ] && [ -r "$f" ]; then
        part "file $f"
        tail -c 1000000 "$f" | grep -aiE '(^|[^a-z])(error|fatal|crit|critical|panic|fail|failed|failure|segfault)([^a-z]|$)' |
          tail -n 20 | cut -c 1-400
        break
      fi
    done
  fi
fi
if wants updates; then
  if [ -e /run/reboot-required ]; then part restart; head -n 50 /run/reboot-required.pkgs; fi
  # Its files in /var/log go to a file system of this process alone, which ends with it.
  unlogged() { has unshare && unshare -m sh -c 'mount -t tmpfs none /var/log && mount -o bind,ro /var/cache /var/cache && exec "$@"' sh "$@"; }
  # When the newest of the lists was fetched.
  lists() { part lists; stat -c %Y "$@" | sort -n | tail -n 1; }
  if has apt-get; then
    part apt
    apt-get -qq -s -o Debug::NoLocking=true -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= dist-upgrade | grep '^Inst ' | head -n 1000
    lists /var/lib/apt/lists/partial
  elif has apk; then
    part apk; apk --no-network version -v -l '<' | head -n 1000
    lists /var/cache/apk/APKINDEX* /etc/apk/cache/APKINDEX*
  elif has dnf; then
    part dnf; unlogged dnf -q -C check-update | head -n 1000
    part dnf-security; unlogged dnf -q -C updateinfo list --security | head -n 1000
    lists /var/cache/dnf/*/repodata /var/cache/libdnf5/*/repodata
  elif has zypper; then
    part zypper; unlogged zypper --no-refresh -n -q list-updates | head -n 1000
    lists /var/cache/zypp/raw/*
  elif has pacman; then
    part pacman; pacman -Qu | head -n 1000
    lists /var/lib/pacman/sync/*.db
  fi
fi
if wants disk; then
  part inodes; df -P -i | head -n 300
  part mounts; df -P -k | head -n 300
fi
echo "$w ended"
