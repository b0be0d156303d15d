# Runs inside the rig's own mount and UTS namespaces and makes them look like a Proxmox node. All mounts end with the
# namespace and are invisible to the machine.
# Arguments: state directory, rig directory, and for a node of the cluster its name. stdin: root's password; not for the cluster.
set -euo pipefail
state=$1
rig=$2
node=${3:-pve1}
own=$state${3:+/$3}
password=
if [ $# = 2 ]; then read -r password; fi

umask 022
mount --make-rprivate /
scratch=/run
mount -t tmpfs -o mode=755 tmpfs "$scratch"
mkdir -p /run/lock/lxc /run/lxc /run/sshd

# Readable as before; writes do not reach the machine.
private_overlay() {
  local dir=$1 layer=$scratch/.layers/$1
  mkdir -p "$layer/upper" "$layer/work"
  chmod --reference="$dir" "$layer/upper"
  mount -t overlay -o "lowerdir=$dir,upperdir=$layer/upper,workdir=$layer/work" overlay "$dir"
}

cp "$state/id" /run/.proxmox-mcp-rig
private_overlay /etc
private_overlay /usr/sbin
private_overlay /var

hostname "$node"
printf '127.0.0.1 localhost %s\n' "$node" >/etc/hosts
if [ $# = 3 ]; then
  # Files of /etc/pve that only this node has, and files shared with the test: requests to the HA manager.
  mkdir -p /run/rig-pve /run/rig-ha "$state/ha"
  mount --bind "$own/pve" /run/rig-pve
  mount --bind "$state/ha" /run/rig-ha
  ln -sfn "/etc/pve/nodes/$node" /run/rig-pve/local
  ln -sfn "/etc/pve/nodes/$node/lxc" /run/rig-pve/lxc
  ln -sfn "/etc/pve/nodes/$node/qemu-server" /run/rig-pve/qemu-server
fi
mkdir -p /etc/pve /var/lib/lxc /etc/ssh/rig
# FUSE with direct I/O, like pmxcfs: otherwise the cost of reading would be hidden. pmxcfs lets the kernel keep names and
# attributes for one second, the default of FUSE. Here it keeps them RIG_PVE_CACHE seconds: 0, as tests change the files below.
if [ -c /dev/fuse ] && command -v bindfs >/dev/null; then
  keep=${RIG_PVE_CACHE:-0}
  bindfs -o "direct_io,attr_timeout=$keep,entry_timeout=$keep,negative_timeout=0" "$state/pve" /etc/pve
else
  mount --bind "$state/pve" /etc/pve
fi
mount --bind "$state/lxc" /var/lib/lxc
install -m 755 "$rig/node/pct" "$rig/node/pveversion" "$rig/node/rig-lxc-start" /usr/sbin/
cp "$own"/host_keys/* "$own/sshd_config" /etc/ssh/rig/
cat "$state"/keys/*.pub >/etc/ssh/rig/authorized_keys
chmod 600 /etc/ssh/rig/*_key

# Last, because the checkout may be below any of these.
for dir in /root /home /mnt; do mount -t tmpfs -o mode=755 tmpfs "$dir"; done
chmod 700 /root
mount --bind "$own/tmp" /tmp

cp /etc/skel/.[a-z]* /root/
mkdir /mnt/rig-small /mnt/rig-ro
mount -t tmpfs -o size=1m tmpfs /mnt/rig-small
mount -t tmpfs -o ro,size=64k tmpfs /mnt/rig-ro

if [ $# = 3 ]; then exit 0; fi

printf 'root:%s\n' "$password" | chpasswd -c SHA512
# Without PAM, sshd interprets a leading `!` of the password as a locked account, and refuses keys too.
for user in admin operator; do
  getent group "$user" >/dev/null || groupadd "$user"
  useradd --create-home --shell /bin/bash --gid "$user" --password '*' "$user"
done
printf 'admin ALL=(ALL) NOPASSWD: ALL\n' >/etc/sudoers.d/rig-admin
printf 'operator ALL=(root) NOPASSWD: /bin/sh\n' >/etc/sudoers.d/rig-operator
chmod 440 /etc/sudoers.d/rig-*
