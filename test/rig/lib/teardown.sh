# Ends a rig, whole or half: knows what is its own by recorded process ids and by the rig's mark.
# shellcheck shell=bash

# Processes whose root holds this rig's mark: those of the node, and all in its containers. sshd's
# children may sit in a chroot; they are found by the mount namespace that they share with the node.
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

# Process id of a container's init, if the container is this rig's. A command socket tells nothing of its owner: it
# answers to whoever knows the VMID.
own_init() {
  local pid mark=
  pid=$(in_node timeout 5 lxc-info -n "$1" -p -H 2>/dev/null 9<&-) && [ -n "$pid" ] || return 1
  { read -r mark <"/proc/$pid/root/$MARK"; } 2>/dev/null || return 1
  [ "$mark" = "$2" ]
}

# Through the node while it is there: LXC then cleans up its cgroups by itself.
stop_containers() {
  local vmid
  recorded_pid holder >/dev/null || return 0
  for vmid in "${LOCAL_VMIDS[@]}"; do
    if command_socket_open "$vmid" && own_init "$vmid" "$1"; then
      # A frozen process cannot even die.
      in_node lxc-unfreeze -n "$vmid" >/dev/null 2>&1 9<&- || true
      in_node timeout 10 lxc-stop -k -n "$vmid" >/dev/null 2>&1 9<&- || true
    fi
  done
}

# A frozen process does not die of a KILL until it is thawed; without LXC's monitor only the cgroup can do that.
thaw() {
  local group
  for group in /sys/fs/cgroup/{freezer/,unified/,}"lxc/$1"{,/ns}; do
    if [ -w "$group/freezer.state" ]; then echo THAWED >"$group/freezer.state"; fi
    if [ -w "$group/cgroup.freeze" ]; then echo 0 >"$group/cgroup.freeze"; fi
  done
}

# Goes by the processes, not by VMIDs alone, so that only containers of this rig are touched.
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

# Sent again and again, for a process may have been born since the last look.
kill_members() {
  local try pids
  for try in {1..60}; do
    mapfile -t pids < <(rig_members "$1" | sort -un)
    [ ${#pids[@]} -gt 0 ] || return 0
    kill -KILL "${pids[@]}" 2>/dev/null || true
    thaw_containers_of "${pids[@]}"
    sleep 0.05
  done
  die "these processes of the rig do not end: ${pids[*]}"
}

CGROUP_PARENTS=(lxc lxc.monitor lxc.pivot)

# LXC makes these and never removes them. Only those that the rig caused are the rig's to remove.
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
  # The namespace is gone with its last process, so nothing is mounted in here any more.
  rm -rf --one-file-system "$STATE"
}
