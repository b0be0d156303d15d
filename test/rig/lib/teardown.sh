# Ends a rig, complete or incomplete: its processes are identified by recorded PIDs and by the rig's mark.
# shellcheck shell=bash

# Processes whose root contains this rig's mark: those of the node and of its containers. Children of sshd may be in a chroot;
# they are found by the mount namespace that they share with the node.
rig_members() {
  local id=$1 dir pid mark ns space=
  for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    mark=
    { read -r mark <"$dir/root/$MARK"; } 2>/dev/null || continue
    [ "$mark" = "$id" ] || continue
    printf '%s\n' "$pid"
    ns=$(readlink "$dir/ns/mnt") || continue
    [[ $space == *"$ns"* ]] || space+=" $ns"
  done
  [ -n "$space" ] || return 0
  for dir in /proc/[0-9]*; do
    ns=$(readlink "$dir/ns/mnt" 2>/dev/null) || continue
    if [[ $space == *"$ns"* ]]; then printf '%s\n' "${dir#/proc/}"; fi
  done
}

# PID of a container's init, if the container belongs to this rig. The command socket does not show its owner, because it
# depends only on the VMID.
own_init() {
  local pid mark=
  pid=$(in_node timeout 5 lxc-info -n "$1" -p -H 2>/dev/null 9<&-) && [ -n "$pid" ] || return 1
  { read -r mark <"/proc/$pid/root/$MARK"; } 2>/dev/null || return 1
  [ "$mark" = "$2" ]
}

# Through the node as long as it runs: LXC then cleans up its cgroups itself.
stop_containers() {
  local vmid
  recorded_pid holder >/dev/null || return 0
  for vmid in "${LOCAL_VMIDS[@]}"; do
    if command_socket_open "$vmid" && own_init "$vmid" "$1"; then
      # A frozen process cannot be killed.
      in_node lxc-unfreeze -n "$vmid" >/dev/null 2>&1 9<&- || true
      in_node timeout 10 lxc-stop -k -n "$vmid" >/dev/null 2>&1 9<&- || true
    fi
  done
}

# SIGKILL has no effect on a frozen process until it is thawed; without LXC's monitor only the cgroup can thaw it.
thaw() {
  local group
  for group in /sys/fs/cgroup/{freezer/,unified/,}"lxc/$1"{,/ns}; do
    if [ -w "$group/freezer.state" ]; then echo THAWED >"$group/freezer.state"; fi
    if [ -w "$group/cgroup.freeze" ]; then echo 0 >"$group/cgroup.freeze"; fi
  done
}

# Selects by processes, not only by VMIDs, so that only containers of this rig are ended.
thaw_containers_of() {
  local pid vmid vmids
  vmids=$(
    IFS='|'
    printf '%s' "${LOCAL_VMIDS[*]}"
  )
  for pid in "$@"; do
    vmid=$(sed -nE "s,.*:/lxc/($vmids)(/.*)?\$,\1,p" "/proc/$pid/cgroup" 2>/dev/null | head -n 1) || true
    [ -z "$vmid" ] || thaw "$vmid"
  done
}

# Sent repeatedly, because a process may have started since the last scan.
kill_members() {
  local try pids
  for try in {1..300}; do
    mapfile -t pids < <(rig_members "$1" | sort -un)
    [ ${#pids[@]} -gt 0 ] || return 0
    kill -KILL "${pids[@]}" 2>/dev/null || true
    thaw_containers_of "${pids[@]}"
    sleep 0.05
  done
  die "these processes of the rig do not end: ${pids[*]}"
}

CGROUP_PARENTS=(lxc lxc.monitor lxc.pivot)

# LXC creates these and never removes them. Only those that belong to the rig are removed.
record_cgroup_parents() {
  local name
  for name in "${CGROUP_PARENTS[@]}"; do
    [ -n "$(find /sys/fs/cgroup -maxdepth 2 -type d -name "$name" -print -quit)" ] || printf '%s\n' "$name"
  done >"$STATE/cgroups"
}

remove_cgroups() {
  local name
  [ -f "$STATE/cgroups" ] || return 0
  while read -r name; do
    find /sys/fs/cgroup -depth -type d \( -path "/sys/fs/cgroup/$name" -o -path "/sys/fs/cgroup/$name/*" \
      -o -path "/sys/fs/cgroup/*/$name" -o -path "/sys/fs/cgroup/*/$name/*" \) -exec rmdir {} + 2>/dev/null || true
  done <"$STATE/cgroups"
}

teardown() {
  local id
  [ -d "$STATE" ] || return 0
  if [ -f "$STATE/id" ]; then
    read -r id <"$STATE/id"
    rm -f "$STATE/rig.json"
    stop_containers "$id"
    kill_members "$id"
    remove_cgroups
  fi
  # The namespace has ended with its last process, so nothing is mounted here any more.
  rm -rf --one-file-system "$STATE"
}
