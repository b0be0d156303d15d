# The cluster of three nodes: its constants, and how to run something on one of them. Sourced after common.sh.
# shellcheck shell=bash

# The arrays of common.sh, with the containers of the cluster.
RUNNING_VMIDS=(9106 9109 9110 9111)
LOCAL_VMIDS=(9106 9109 9110 9111 9112)
ALL_VMIDS=("${LOCAL_VMIDS[@]}")
CLUSTER_NODES=(pve1 pve2 pve3)
BRIDGE=rig-cluster
# For tests of networks (RFC 2544): no real network has these addresses.
HOST_ADDRESS=198.18.91.1
SSH_PORT=2222

address_of() { printf '198.18.91.1%s\n' "${1#pve}"; }

node_of() {
  case $1 in
  9106) printf 'pve1\n' ;;
  9109 | 9110) printf 'pve2\n' ;;
  *) printf 'pve3\n' ;;
  esac
}

name_of() {
  case $1 in
  9106) printf 'first\n' ;;
  9109) printf 'second\n' ;;
  9110) printf 'moving\n' ;;
  9111) printf 'third\n' ;;
  *) printf 'stopped\n' ;;
  esac
}

# Runs a command on one node of the cluster, without the caller's environment.
on_node() {
  local holder
  holder=$(recorded_pid "holder-$1") || die "node $1 is not up"
  shift
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root \
    nsenter --target "$holder" --mount --uts --net -- "$@"
}

# --- network ---------------------------------------------------------------------------------------------------

make_bridge() {
  ip link add "$BRIDGE" type bridge
  ip address add "$HOST_ADDRESS/24" dev "$BRIDGE"
  ip link set "$BRIDGE" up
}

# A network link from the node to the bridge.
connect_node() {
  local holder
  holder=$(recorded_pid "holder-$1")
  ip link add "rig-$1" type veth peer name eth0 netns "$holder"
  ip link set "rig-$1" master "$BRIDGE" up
  on_node "$1" ip link set lo up
  on_node "$1" ip address add "$(address_of "$1")/24" dev eth0
  on_node "$1" ip link set eth0 up
}

# --- /etc/pve --------------------------------------------------------------------------------------------------

# Files that differ between nodes are links to files of the node's own /run; all others are shared.
make_cluster_pve() {
  local pve=$STATE/pve node vmid name
  mkdir -p "$pve/ha" "$pve/priv"
  for name in local lxc qemu-server; do ln -s "/run/rig-pve/$name" "$pve/$name"; done
  ln -s /run/rig-pve/members "$pve/.members"
  for node in "${CLUSTER_NODES[@]}"; do
    mkdir -p "$pve/nodes/$node/lxc" "$pve/nodes/$node/qemu-server"
    printf '%s %s\n' "$node" "$(cut -d' ' -f1,2 "$STATE/$node/host_keys/ssh_host_rsa_key.pub")" \
      >"$pve/nodes/$node/ssh_known_hosts"
    write_members "$node"
  done
  for vmid in "${LOCAL_VMIDS[@]}"; do
    cat >"$pve/nodes/$(node_of "$vmid")/lxc/$vmid.conf" <<CONF
arch: amd64
cores: 1
hostname: $(name_of "$vmid")
memory: 128
ostype: alpine
rootfs: shared:vm-$vmid-disk-0,size=1G
swap: 0
unprivileged: 0
CONF
  done
  printf 'dir: shared\n\tpath /var/lib/lxc\n\tcontent rootdir\n\tshared 1\n' >"$pve/storage.cfg"
  write_corosync_config >"$pve/corosync.conf"
  write_vmlist 1
  find "$pve" -type f -exec chmod 640 {} +
}

# write_members NODE [QUORATE [OFFLINE…]]
write_members() {
  local node=$1 quorate=${2:-1} each comma= file=$STATE/$1/pve/members
  shift $(($# < 2 ? $# : 2))
  mkdir -p "$STATE/$node/pve"
  {
    printf '{\n"nodename": "%s",\n"version": 5,\n' "$node"
    printf '"cluster": { "name": "rig", "version": 3, "nodes": 3, "quorate": %s },\n"nodelist": {' "$quorate"
    for each in "${CLUSTER_NODES[@]}"; do
      printf '%s\n  "%s": { "id": %s, "online": %s, "ip": "%s"}' "$comma" "$each" "${each#pve}" \
        "$([[ " $* " == *" $each "* ]] && echo 0 || echo 1)" "$(address_of "$each")"
      comma=,
    done
    printf '\n  }\n}\n'
  } >"$file.new"
  mv "$file.new" "$file"
}

# Derived from the directories, like the real file: write_vmlist VERSION
write_vmlist() {
  local pve=$STATE/pve conf node id comma=
  {
    printf '{\n"version": %s,\n"ids": {' "$1"
    for conf in "$pve"/nodes/*/lxc/*.conf; do
      [ -e "$conf" ] || continue
      id=${conf##*/}
      node=${conf#"$pve/nodes/"}
      printf '%s\n"%s": { "node": "%s", "type": "lxc", "version": %s }' "$comma" "${id%.conf}" "${node%%/*}" "$1"
      comma=,
    done
    printf '}\n\n}\n'
  } >"$pve/.vmlist.new"
  mv "$pve/.vmlist.new" "$pve/.vmlist"
  printf '{\n"starttime": 1700000000,\n"clinfo": 5,\n"vmlist": %s,\n"corosync.conf": 1\n}\n' "$1" >"$pve/.version.new"
  mv "$pve/.version.new" "$pve/.version"
}

write_corosync_config() {
  local node
  printf 'nodelist {\n'
  for node in "${CLUSTER_NODES[@]}"; do
    printf '  node {\n    name: %s\n    nodeid: %s\n    quorum_votes: 1\n    ring0_addr: %s\n  }\n' \
      "$node" "${node#pve}" "$(address_of "$node")"
  done
  printf '}\n\nquorum {\n  provider: corosync_votequorum\n}\n\ntotem {\n  cluster_name: rig\n  config_version: 3\n  interface {\n    linknumber: 0\n  }\n}\n'
}

# --- sshd ------------------------------------------------------------------------------------------------------

make_node_keys() {
  local type
  mkdir -p "$STATE/$1/host_keys"
  for type in ed25519 rsa; do
    ssh-keygen -q -t "$type" -N '' -C "$1-$type" -f "$STATE/$1/host_keys/ssh_host_${type}_key"
    printf '[%s]:%s %s\n' "$(address_of "$1")" "$SSH_PORT" \
      "$(cut -d' ' -f1,2 "$STATE/$1/host_keys/ssh_host_${type}_key.pub")" >>"$STATE/known_hosts"
  done
}

write_node_sshd_config() {
  cat >"$STATE/$1/sshd_config" <<CONFIG
Port $SSH_PORT
ListenAddress 0.0.0.0
HostKey /etc/ssh/rig/ssh_host_ed25519_key
HostKey /etc/ssh/rig/ssh_host_rsa_key
AuthorizedKeysFile /etc/ssh/rig/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
AcceptEnv LANG LC_*
MaxSessions 10
AllowTcpForwarding yes
UseDNS no
PidFile none
CONFIG
  if /usr/sbin/sshd -t -o PerSourcePenalties=no -f /dev/null -h "$STATE/$1/host_keys/ssh_host_ed25519_key" 2>/dev/null; then
    printf 'PerSourcePenalties no\n' >>"$STATE/$1/sshd_config"
  fi
}

start_node_sshd() {
  local holder
  holder=$(recorded_pid "holder-$1")
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin setsid \
    nsenter --target "$holder" --mount --uts --net -- \
    /usr/sbin/sshd -D -e -f /etc/ssh/rig/sshd_config </dev/null >/dev/null 2>>"$STATE/sshd.log" 9<&- &
  record_pid "sshd-$1" $!
}

await_node_sshd() {
  local try address
  address=$(address_of "$1")
  for try in {1..600}; do
    if (: <"/dev/tcp/$address/$SSH_PORT") 2>/dev/null; then return; fi
    recorded_pid "sshd-$1" >/dev/null || break
    sleep 0.05
  done
  die "sshd of $1 does not start, see $STATE/sshd.log"
}
