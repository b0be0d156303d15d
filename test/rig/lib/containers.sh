# LXC's own configuration of the containers, laid out as Proxmox does it.
# shellcheck shell=bash

# No cgroup mount: it fails in some sandboxes, and nothing here needs it.
lxc_config() {
  local id=$1 name=$2
  cat <<CONFIG
lxc.uts.name = $name
lxc.rootfs.path = dir:/var/lib/lxc/$id/rootfs
lxc.init.cmd = /sbin/rig-init
lxc.net.0.type = empty
lxc.apparmor.profile = unconfined
lxc.seccomp.profile = /usr/share/lxc/config/common.seccomp
lxc.cap.drop = mac_admin mac_override sys_time sys_module sys_rawio
lxc.mount.auto = proc:mixed
lxc.pty.max = 1024
lxc.tty.max = 0
lxc.cgroup.relative = 0
lxc.cgroup.dir.monitor = lxc.monitor/$id
lxc.cgroup.dir.container = lxc/$id
lxc.cgroup.dir.container.inner = ns
CONFIG
}

# The container's root is an ordinary user of the machine, as in every container that Proxmox VE creates by default. There
# `unprivileged: 1` adds these lines.
user_namespace() {
  is_privileged || printf 'lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536\n'
}

# A full disk and a read-only one, for transfers.
small_disks() {
  cat <<'CONFIG'
lxc.mount.entry = tmpfs mnt/small tmpfs size=1m,create=dir 0 0
lxc.mount.entry = tmpfs mnt/ro tmpfs ro,size=64k,create=dir 0 0
CONFIG
}

make_containers() {
  local lxc=$STATE/lxc id name
  for id in "${LOCAL_VMIDS[@]}"; do
    name=$(sed -n 's/^hostname: //p;/^\[/q' "$STATE/pve/nodes/pve1/lxc/$id.conf")
    mkdir -p "$lxc/$id"
    lxc_config "$id" "$name" >"$lxc/$id/config"
    case $((id - FIRST_VMID)) in
    0)
      make_debian_rootfs "$lxc/$id/rootfs" "$name"
      { user_namespace; small_disks; } >>"$lxc/$id/config"
      ;;
    1)
      make_busybox_rootfs "$lxc/$id/rootfs" "$name"
      small_disks >>"$lxc/$id/config"
      ;;
    *) make_busybox_rootfs "$lxc/$id/rootfs" "$name" ;;
    esac
  done
  # Tests that need a container without a shell start this instead of the init of the stopped container.
  make_shellless_rootfs "$lxc/$((FIRST_VMID + 2))/rootfs-shellless" stopped
}

start_containers() {
  local id
  for id in "${RUNNING_VMIDS[@]}"; do
    in_node rig-lxc-start "$id" -o "/var/lib/lxc/$id/log" -l INFO </dev/null >/dev/null 2>&1 9<&- ||
      die "container $id does not start, see $STATE/lxc/$id/log"
  done
}
