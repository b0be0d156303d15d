# Ends a cluster, complete or incomplete. Sourced after teardown.sh and cluster.sh.
# shellcheck shell=bash

# With a hanging file system, everything that inspects its processes would hang as well.
wake_file_systems() {
  local pid
  for pid in $(rig_members "$1" | sort -un); do
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = bindfs ]; then kill -CONT "$pid" || true; fi
  done
}

# Through the nodes as long as they run: LXC then cleans up its cgroups itself.
stop_cluster_containers() {
  local node vmid
  for node in "${CLUSTER_NODES[@]}"; do
    recorded_pid "holder-$node" >/dev/null || continue
    for vmid in "${LOCAL_VMIDS[@]}"; do
      on_node "$node" grep -q "@/var/lib/lxc/$vmid/command\$" /proc/net/unix || continue
      on_node "$node" timeout 10 lxc-stop -k -n "$vmid" >/dev/null 2>&1 9<&- || true
    done
  done
}

cluster_teardown() {
  local id node
  [ -d "$STATE" ] || return 0
  if [ -f "$STATE/id" ]; then
    read -r id <"$STATE/id"
    rm -f "$STATE/cluster.json"
    wake_file_systems "$id"
    stop_cluster_containers
    kill_members "$id"
    # Processes without the mark, because the start failed early.
    for node in "${CLUSTER_NODES[@]}"; do
      if pid=$(recorded_pid "holder-$node"); then kill -KILL "$pid" || true; fi
    done
    remove_cgroups
    # The network links disappear with their namespaces.
    ip link delete "$BRIDGE" 2>/dev/null || true
  fi
  rm -rf --one-file-system "$STATE"
}
