# Root file systems of the containers: Debian from a cache, the others from one static busybox.
# shellcheck shell=bash

DEBIAN_CACHE=$CACHE/debian-bookworm-1
# The same with all owners shifted by 100000, as in an unprivileged container.
SHIFTED_CACHE=$DEBIAN_CACHE-shifted
# The map of ids that Proxmox VE gives to every unprivileged container.
ID_MAP='b:0:100000:65536'

# Takes half a minute, once per machine. Renamed when complete, so that an interruption leaves no incomplete cache.
ensure_debian_cache() {
  local work=$DEBIAN_CACHE.$$
  [ ! -d "$DEBIAN_CACHE" ] || return 0
  say "making the Debian container (once, kept in $CACHE)"
  mkdir -p "$CACHE"
  if ! debootstrap --variant=minbase --include=bash,procps,sudo,perl-base bookworm "$work" \
    ${RIG_DEBIAN_MIRROR:+"$RIG_DEBIAN_MIRROR"} >"$CACHE/debootstrap.log" 2>&1; then
    rm -rf --one-file-system "$work"
    die "debootstrap failed, see $CACHE/debootstrap.log"
  fi
  rm -rf "$work"/var/cache/apt/archives/*.deb "$work"/var/lib/apt/lists/* "$work"/usr/share/{doc,man,locale}/*
  mv "$work" "$DEBIAN_CACHE"
}

# As Proxmox VE does it: unpacked in a user namespace, where no devices can be made. Takes 2 s, once per machine.
ensure_shifted_cache() {
  local work=$SHIFTED_CACHE.$$
  [ ! -d "$SHIFTED_CACHE" ] || return 0
  mkdir "$work"
  chown 100000:100000 "$work"
  if ! tar -C "$DEBIAN_CACHE" --exclude='./dev/*' --numeric-owner -cf - . |
    in_user_namespace tar -C "$work" --numeric-owner -xpf -; then
    rm -rf --one-file-system "$work"
    die 'cannot shift the owners: this kernel refuses user namespaces'
  fi
  mv "$work" "$SHIFTED_CACHE"
}

# For comparing: the Debian container is privileged.
is_privileged() { [ "${RIG_PRIVILEGED:-0}" = 1 ]; }

# Runs a command as the root of an unprivileged container. Its directory must be accessible to that user.
in_user_namespace() (
  cd / && exec lxc-usernsexec -m "$ID_MAP" -- "$@"
)

# For all kinds: the init for tests, the mark, mount points, and the container's name in its hosts file, as Proxmox writes it
# (sudo resolves it).
finish_rootfs() {
  local root=$1 name=$2
  install -D -m 755 "$RIG_DIR/node/rig-init" "$root/sbin/rig-init"
  mkdir -p "$root"/{dev,proc,sys,run,tmp,mnt,root}
  chmod 1777 "$root/tmp"
  printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >"$root/etc/hosts"
  printf '%s\n' "$RIG_ID" >"$root/$MARK"
}

# What is added to the copy is given to the root of the unprivileged container.
make_debian_rootfs() {
  if is_privileged; then cp -a "$DEBIAN_CACHE" "$1"; else cp -a "$SHIFTED_CACHE" "$1"; fi
  finish_rootfs "$1" "$2"
  is_privileged || find "$1" -xdev -uid 0 -exec chown -h 100000:100000 {} +
}

make_busybox_rootfs() {
  local root=$1
  mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,etc}
  cp "$(command -v busybox)" "$root/bin/busybox"
  # One process for all links: 270 calls of ln would be a third of the start of a rig.
  "$root/bin/busybox" --list | (cd "$root/bin" && perl -lne 'symlink "busybox", $_ if $_ ne "busybox"')
  printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nuser:x:1000:\n' >"$root/etc/group"
  finish_rootfs "$root" "$2"
}

# Like an application container made from an OCI image: one static program, and no shell. Under the name init, busybox
# is only an init, which with an empty inittab only reaps orphans.
make_shellless_rootfs() {
  local root=$1
  mkdir -p "$root"/{sbin,etc}
  finish_rootfs "$root" "$2"
  rm "$root/sbin/rig-init"
  cp "$(command -v busybox)" "$root/sbin/init"
  : >"$root/etc/inittab"
}
