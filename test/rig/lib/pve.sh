# /etc/pve as plain files: the fixtures, and files that depend on the time or on generated keys.
# shellcheck shell=bash

# Replaces the VMIDs of the fixtures, 9101 to 9105, by those of this rig.
own_vmids() {
  local place conf edits=()
  [ "$FIRST_VMID" != 9101 ] || return 0
  for place in {0..4}; do edits+=(-e "s/\\b$((9101 + place))\\b/$((FIRST_VMID + place))/g"); done
  find "$1" -type f -exec sed -i "${edits[@]}" {} +
  for place in {0..4}; do
    for conf in "$1"/nodes/*/lxc/"$((9101 + place)).conf"; do
      if [ -e "$conf" ]; then mv "$conf" "${conf%/*}/$((FIRST_VMID + place)).conf"; fi
    done
  done
}

make_pve() {
  local pve=$STATE/pve now key
  now=$(date +%s)
  key=$(cut -d' ' -f1,2 "$STATE/host_keys/ssh_host_rsa_key.pub")
  cp -R "$RIG_DIR/../fixtures/etc-pve" "$pve"
  own_vmids "$pve"
  ln -s nodes/pve1 "$pve/local"
  ln -s nodes/pve1/lxc "$pve/lxc"
  ln -s nodes/pve1/qemu-server "$pve/qemu-server"
  printf 'pve1 %s\n' "$key" >"$pve/nodes/pve1/ssh_known_hosts"
  # The real file ends in a NUL.
  { sed "s/@NOW@/$now/" "$pve/rrd" && printf '\0'; } >"$pve/.rrd"
  mv "$pve/vmlist" "$pve/.vmlist"
  mv "$pve/members" "$pve/.members"
  mv "$pve/version" "$pve/.version"
  rm "$pve/rrd"
  # In the cluster file system only root and www-data can read.
  find "$pve" -type f -exec chmod 640 {} +
}
