# Keys, configuration and life of the node's sshd.
# shellcheck shell=bash

make_keys() {
  local type
  mkdir -p "$STATE/host_keys" "$STATE/keys"
  for type in ed25519 ecdsa rsa; do
    ssh-keygen -q -t "$type" -N '' -C "rig-$type" -f "$STATE/host_keys/ssh_host_${type}_key"
  done
  ssh-keygen -q -t ed25519 -N '' -C rig-plain -f "$STATE/keys/plain"
  ssh-keygen -q -t ed25519 -N "$PASSPHRASE" -C rig-encrypted -f "$STATE/keys/encrypted"
}

# As on a Proxmox node (root logs in with key or password, 10 sessions per connection), but on loopback and without PAM, whose
# session modules need systemd.
write_sshd_config() {
  cat >"$STATE/sshd_config" <<CONFIG
Port $PORT
ListenAddress 127.0.0.1
HostKey /etc/ssh/rig/ssh_host_ed25519_key
HostKey /etc/ssh/rig/ssh_host_ecdsa_key
HostKey /etc/ssh/rig/ssh_host_rsa_key
AuthorizedKeysFile /etc/ssh/rig/authorized_keys
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM no
AcceptEnv LANG LC_*
MaxSessions 10
AllowTcpForwarding yes
UseDNS no
PidFile none
Subsystem sftp internal-sftp
CONFIG
  # Since OpenSSH 9.8 a few refused logins block their address, which all clients share here.
  if /usr/sbin/sshd -t -o PerSourcePenalties=no -f /dev/null -h "$STATE/host_keys/ssh_host_ed25519_key" 2>/dev/null; then
    printf 'PerSourcePenalties no\n' >>"$STATE/sshd_config"
  fi
}

# For use with the real client: ssh -F .state/ssh_config rig
write_client_files() {
  local type user
  : >"$STATE/known_hosts"
  for type in ed25519 ecdsa rsa; do
    printf '[127.0.0.1]:%s %s\n' "$PORT" "$(cut -d' ' -f1,2 "$STATE/host_keys/ssh_host_${type}_key.pub")" >>"$STATE/known_hosts"
  done
  for user in root admin operator; do
    cat <<CONFIG
Host rig$([ "$user" = root ] || printf -- '-%s' "$user")
  HostName 127.0.0.1
  Port $PORT
  User $user
  IdentityFile "$STATE/keys/plain"
  IdentitiesOnly yes
  UserKnownHostsFile "$STATE/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
CONFIG
  done >"$STATE/ssh_config"
}

# Arguments are options for sshd, which override its configuration file: -o MaxSessions=3
start_sshd() {
  local try holder
  holder=$(recorded_pid holder) || die 'the rig is not up'
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin setsid \
    nsenter --target "$holder" --mount --uts -- \
    /usr/sbin/sshd -D -e -f /etc/ssh/rig/sshd_config "$@" </dev/null >/dev/null 2>>"$STATE/sshd.log" 9<&- &
  record_pid sshd $!
  for try in {1..600}; do
    if port_listens "$PORT"; then return; fi
    recorded_pid sshd >/dev/null || break
    sleep 0.05
  done
  die "sshd does not start, see $STATE/sshd.log"
}

stop_sshd() {
  local pid try
  pid=$(recorded_pid sshd) || return 0
  kill "$pid"
  for try in {1..100}; do
    recorded_pid sshd >/dev/null || return 0
    sleep 0.05
  done
  kill -KILL "$pid"
}
