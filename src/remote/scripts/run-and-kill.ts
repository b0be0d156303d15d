/**
 * The shell scripts that are sent to the node and into containers. All are POSIX sh without bashisms, and
 * use only what busybox has too. Values reach them as $1, $2, …, never by being pasted into the text.
 */

/**
 * Runs the user's command ($2) under a parent shell that outlives it.
 *
 * $1 is the nonce. First "NONCE start" goes to stdout: from then on whatever comes is the command's own.
 * At the end "NONCE exit CODE" goes to both streams: what precedes it is all that the command wrote, even
 * if children that it left in the background keep the streams open. The wrapper's own stderr is closed to
 * the caller, so that the shell's "Killed" is not taken for output of the command; dash redirects in the
 * parent unless the command stands in a subshell. A TERM sent to the process group must not take the
 * reporter along; a handler (not SIG_IGN) is reset in the child.
 */
export const RUN_SCRIPT = `exec 3>&1 4>&2 2>/dev/null
trap : HUP INT TERM
cd "$HOME" || cd /
printf '%s start\\n' "$1" >&3
if command -v bash >/dev/null; then s=bash; else s=sh; fi
(exec "$s" -c "$2" </dev/null >&3 2>&4 3>&- 4>&-)
c=$?
printf '%s exit %d\\n' "$1" "$c" >&3
printf '%s exit %d\\n' "$1" "$c" >&4
`;

/**
 * Ends every process of one run, and says what is left. Runs as root on the node (the host sees the
 * processes of its containers), or inside a container where sudo rules allow nothing else.
 *
 * $1 NAME=VALUE of the marker, $2 timer slack in ns, $3 how many looks (20 a second) TERM is given before
 * KILL, $4 how many looks KILL is given.
 * A process belongs to the run if its environment carries the marker, or it has the run's timer slack and
 * is not older than the oldest marked one, or it shares a session with or descends from one that belongs.
 * busybox's grep does not look behind a NUL, so there the environments are translated first.
 * Every look starts afresh, and it ends when two looks in a row find nothing: what is forked between two
 * looks is found by the next. TERM is sent once to each process, as a second one makes some give up cleaning
 * up. Prints "found N", "left PID NAME" for each survivor, and "done".
 */
export const KILL_SCRIPT = `mark=$1 slack=$2 soft=$3 hard=$4
born=
if [ "$(printf 'a\\0b' | grep -caF b 2>/dev/null)" = 1 ]; then
  marked() { grep -slaF -- "$mark" /proc/[0-9]*/environ; }
else
  marked() {
    for f in /proc/[0-9]*/environ; do
      if tr '\\0' '\\n' <"$f" | grep -qF -- "$mark"; then echo "$f"; fi
    done 2>/dev/null
  }
fi
look() {
  set=' '
  for f in $(marked); do
    p=\${f#/proc/}; set="$set\${p%/environ} "
  done
  all=
  for d in /proc/[0-9]*; do
    s=; t=; { read -r s <"$d/stat"; read -r t <"$d/timerslack_ns"; } 2>/dev/null
    [ -n "$s" ] || continue
    p=\${d#/proc/}
    [ "$p" != "$$" ] || continue
    set -- \${s##*) }
    [ "$1" != Z ] && [ "$1" != X ] || continue
    all="$all$p $2 $4 \${20} \${t:-0}
"
    case $set in *" $p "*) if [ -z "$born" ] || [ "\${20}" -lt "$born" ]; then born=\${20}; fi;; esac
  done
  more=1
  sids=' '
  while [ "$more" = 1 ]; do
    more=0
    while read -r p pp sid start t; do
      [ -n "$p" ] || continue
      mine=0
      case $set in *" $p "*) mine=2;; *" $pp "*) mine=1;; esac
      case $sids in *" $sid "*) [ "$mine" != 0 ] || mine=1;; esac
      if [ "$mine" = 0 ] && [ "$t" = "$slack" ] && [ -n "$born" ] && [ "$start" -ge "$born" ]; then mine=1; fi
      [ "$mine" != 0 ] || continue
      if [ "$mine" = 1 ]; then set="$set$p "; more=1; fi
      case $sids in *" $sid "*) ;; *) [ "$sid" -le 1 ] || { sids="$sids$sid "; more=1; };; esac
    done <<EOT
$all
EOT
  done
  live=' '
  while read -r p pp sid start t; do
    [ -n "$p" ] || continue
    case $set in *" $p "*) live="$live$p ";; esac
  done <<EOT
$all
EOT
}
wait_a_bit() { sleep 0.05 2>/dev/null || sleep 1; }
look; set -- $live; echo "found $#"
i=0 told=' '
while [ "$live" != ' ' ] && [ "$i" -lt "$soft" ]; do
  for p in $live; do
    case $told in *" $p "*) ;; *) kill -TERM "$p"; kill -CONT "$p"; told="$told$p ";; esac
  done 2>/dev/null
  wait_a_bit; i=$((i+1)); look
done
i=0 clean=0
while [ "$i" -lt "$hard" ]; do
  if [ "$live" = ' ' ]; then
    clean=$((clean+1)); [ "$clean" -lt 2 ] || break
  else
    clean=0; kill -KILL $live 2>/dev/null
  fi
  wait_a_bit; i=$((i+1)); look
done
for p in $live; do
  c=; { read -r c <"/proc/$p/comm"; } 2>/dev/null
  echo "left $p $c"
done
echo done
`;

/**
 * Reads all that is known of the cluster's containers in one round trip, without loading Perl.
 *
 * $1 nonce, $2 VMID whose frozen state is asked for, or empty. Sections start with "NONCE name". grep puts
 * the path in front of every line, so that one process reads hundreds of files.
 */
export const INVENTORY_SCRIPT = `n=$1
echo "$n unix"
grep -aoE '@/var/lib/lxc/[0-9]+/command$' /proc/net/unix
echo "$n pve"
cd /etc/pve 2>/dev/null || { echo "$n missing"; exit 0; }
[ -r .vmlist ] || [ ! -e .vmlist ] || echo "$n forbidden"
grep -asH '' .members .vmlist .rrd
grep -asH '^pool:' user.cfg
echo "$n conf"
grep -asHE '^(hostname|lock|template|tags):|^\\[' nodes/*/lxc/*.conf
if [ -n "$2" ]; then echo "$n frozen"; LC_ALL=C lxc-info -n "$2" -s -H 2>&1; fi
echo "$n end"
`;
