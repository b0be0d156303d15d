# rig.json: the data for tests. Written last, so that its existence means that the rig is complete.
# shellcheck shell=bash

json_string() {
  local text=$1
  text=${text//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

json_host_keys() {
  local type file comma=
  for type in ed25519 ecdsa rsa; do
    file=$STATE/host_keys/ssh_host_${type}_key.pub
    printf '%s\n    "%s": { "public": %s, "fingerprint": %s }' "$comma" "$type" \
      "$(json_string "$(cut -d' ' -f1,2 "$file")")" \
      "$(json_string "$(ssh-keygen -lf "$file" | cut -d' ' -f2)")"
    comma=,
  done
}

write_state() {
  local holder started
  read -r holder started <"$STATE/holder.pid"
  cat >"$STATE/rig.json.new" <<JSON
{
  "id": "$RIG_ID",
  "host": "127.0.0.1",
  "port": $PORT,
  "firstVmid": $FIRST_VMID,
  "node": "pve1",
  "otherNode": "pve2",
  "users": { "root": "root", "admin": "admin", "operator": "operator" },
  "rootPassword": "$PASSWORD",
  "hostKeys": {$(json_host_keys)
  },
  "keys": {
    "plain": $(json_string "$STATE/keys/plain"),
    "encrypted": $(json_string "$STATE/keys/encrypted"),
    "passphrase": "$PASSPHRASE"
  },
  "holderPid": $holder,
  "holderStarted": "$started",
  "paths": {
    "state": $(json_string "$STATE"),
    "pve": $(json_string "$STATE/pve"),
    "lxc": $(json_string "$STATE/lxc"),
    "tmp": $(json_string "$STATE/tmp"),
    "knownHosts": $(json_string "$STATE/known_hosts"),
    "sshConfig": $(json_string "$STATE/ssh_config"),
    "sshdPidFile": $(json_string "$STATE/sshd.pid"),
    "sshdLog": $(json_string "$STATE/sshd.log")
  }
}
JSON
  mv "$STATE/rig.json.new" "$STATE/rig.json"
}
