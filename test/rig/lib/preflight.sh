# Requirements that are checked before anything is changed: root, the packages, unused VMIDs and a free port.
# shellcheck shell=bash

require_root() { [ "$(id -u)" = 0 ] || die 'must be root: mount namespaces and containers need it'; }

require_packages() {
  local need missing=()
  for need in lxc-start:lxc lxc-attach:lxc lxc-usernsexec:lxc /usr/sbin/sshd:openssh-server ssh:openssh-client \
    debootstrap:debootstrap busybox:busybox-static sudo:sudo perl:perl-base tar:tar useradd:passwd \
    nsenter:util-linux flock:util-linux bindfs:bindfs; do
    command -v "${need%%:*}" >/dev/null || missing+=("${need##*:}")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    die "missing packages: $(printf '%s\n' "${missing[@]}" | sort -u | tr '\n' ' ')(apt-get install them)"
  fi
  # The containers contain only this file; if it needed shared libraries, it would not start there.
  if ldd "$(command -v busybox)" >/dev/null 2>&1; then
    die 'busybox is linked dynamically: install the package busybox-static'
  fi
  grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || die 'this kernel has no overlayfs'
}

# Only the cluster needs these.
require_network_packages() {
  local need missing=()
  for need in ip:iproute2 nft:nftables; do command -v "${need%%:*}" >/dev/null || missing+=("${need##*:}"); done
  [ ${#missing[@]} -eq 0 ] || die "missing packages: ${missing[*]} (apt-get install them)"
}

# The rig has separate directories, but command sockets and cgroups belong to the machine: two containers with the same VMID
# would conflict. Prints why a VMID cannot be used, or fails if all are free.
used_vmid() {
  local id conf
  for id in "${ALL_VMIDS[@]}"; do
    if command_socket_open "$id"; then
      printf 'container %s runs on this machine already (another rig, or a real one)\n' "$id"
      return
    fi
    for conf in "/var/lib/lxc/$id" /etc/pve/nodes/*/lxc/"$id".conf /etc/pve/nodes/*/qemu-server/"$id".conf; do
      if [ -e "$conf" ]; then
        printf '%s exists already: VMID %s is used\n' "$conf" "$id"
        return
      fi
    done
  done
  return 1
}

require_free_vmids() {
  local reason
  ! reason=$(used_vmid) || die "$reason: not touching it"
}

# The first five that are free. Those of the cluster are in between.
choose_vmids() {
  local first reason='RIG_FIRST_VMID is too large'
  for first in $(seq "${RIG_FIRST_VMID:-9101}" 20 9981); do
    use_vmids "$first"
    reason=$(used_vmid) || return 0
  done
  die "no free VMIDs: $reason"
}

# Reads the kernel's table, so that no tool is needed; 0A is LISTEN.
port_listens() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && substr($2, length($2) - 4) == port { hit = 1 } END { exit !hit }'
}

# Below the range that the kernel uses for outgoing connections.
choose_port() {
  local port try
  if [ -n "${RIG_PORT:-}" ]; then
    ! port_listens "$RIG_PORT" || die "port $RIG_PORT is taken"
    printf '%s\n' "$RIG_PORT"
    return
  fi
  for try in {1..50}; do
    port=$((22000 + RANDOM % 8000))
    if ! port_listens "$port"; then
      printf '%s\n' "$port"
      return
    fi
  done
  die 'no free port between 22000 and 30000'
}
