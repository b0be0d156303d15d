# Paths, messages and process identity. Sourced by everything else.
# shellcheck shell=bash

RIG_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
STATE=${RIG_STATE:-$RIG_DIR/.state}
CACHE=${XDG_CACHE_HOME:-/var/cache}/proxmox-mcp-rig

# Every rig of the machine has its own VMIDs, five in a row, because command sockets and cgroups belong to the machine.
use_vmids() {
  FIRST_VMID=$1
  RUNNING_VMIDS=("$1" $(($1 + 1)) $(($1 + 3)))
  LOCAL_VMIDS=("$1" $(($1 + 1)) $(($1 + 2)) $(($1 + 3)))
  ALL_VMIDS=("${LOCAL_VMIDS[@]}" $(($1 + 4)))
}
if [ -f "$STATE/first-vmid" ]; then use_vmids "$(cat "$STATE/first-vmid")"; else use_vmids 9101; fi

# Every process of the rig sees this file with the rig's id: the node in its private /run, each container in its own. It
# identifies processes of the rig even if a recorded process has ended.
MARK=run/.proxmox-mcp-rig

# The started process outlives this script. An inherited descriptor would keep the caller's pipe open or its lock held. 255
# belongs to bash itself.
close_inherited() {
  local fd
  for fd in /proc/$$/fd/*; do
    fd=${fd##*/}
    if [ "$fd" -gt 2 ] && [ "$fd" != 255 ]; then eval "exec $fd>&-"; fi
  done
}
close_inherited

say() { printf 'rig: %s\n' "$*"; }
die() {
  printf 'rig: %s\n' "$*" >&2
  exit 1
}

# A PID may have been reused, so the start time is compared as well. A zombie counts as ended: it only waits for its parent,
# which for an orphan (the machine's init) can take a second.
start_time() {
  local stat
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  # The name in parentheses may contain spaces; the start time is the 20th field after it.
  set -- ${stat##*) }
  [ "$1" != Z ] && printf '%s\n' "${20}"
}

record_pid() { printf '%s %s\n' "$2" "$(start_time "$2")" >"$STATE/$1.pid"; }

# Prints the recorded PID if the same process still runs.
recorded_pid() {
  local pid started
  [ -f "$STATE/$1.pid" ] && read -r pid started <"$STATE/$1.pid" || return 1
  [ "$(start_time "$pid")" = "$started" ] || return 1
  printf '%s\n' "$pid"
}

# Runs a command in the node, without the caller's environment.
in_node() {
  local holder
  holder=$(recorded_pid holder) || die 'the rig is not up'
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root \
    nsenter --target "$holder" --mount --uts -- "$@"
}

command_socket_open() { grep -q "@/var/lib/lxc/$1/command\$" /proc/net/unix; }

# One rig at a time starts or stops on this machine, because all checkouts share its VMIDs. The lock is on a directory that the
# package lxc installs.
take_lock() {
  exec 9</var/lib/lxc
  flock 9
}
