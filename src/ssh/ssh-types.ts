import type { Readable, Writable } from 'node:stream';

export type HostKeyPolicy = 'strict' | 'accept-new' | 'insecure';

/** Host keys that were read over a verified connection, such as those that a cluster has of its nodes. */
export interface TrustedHostKeys {
  readonly text: string;
  /** Where it was read, for messages: `/etc/pve on pve1`. */
  readonly source: string;
  /** How the source gets a missing key, for an administrator. */
  readonly remedy: string;
}

/** Everything needed to reach and log in to one SSH server. */
export interface SshTarget {
  /** Address or host name to connect to. */
  readonly host: string;
  readonly port: number;
  readonly username: string;
  /** Name under which the host key is looked up instead of `host:port` (OpenSSH's HostKeyAlias). */
  readonly hostKeyAlias?: string;
  /** Private key files in the order in which they are tried; those that the operator named come first. */
  readonly identityFiles: readonly string[];
  /** Offer nothing but `identityFiles` (and keys of the agent that match them). */
  readonly identitiesOnly?: boolean;
  readonly passphrase?: string;
  readonly password?: string;
  /** Socket or pipe of an ssh-agent. */
  readonly agent?: string;
  /** The environment variable that `agent` came from, if any. */
  readonly agentVariable?: string;
  /** Jump hosts, first hop first. A jump host has no jumps itself. */
  readonly jumps: readonly SshTarget[];
  readonly hostKeyPolicy: HostKeyPolicy;
  /** Files that are read for host keys, in order. */
  readonly knownHostsFiles: readonly string[];
  /** The file to which `accept-new` adds keys. */
  readonly knownHostsWriteFile: string;
  /** Text in the format of known_hosts from a trusted source other than a local file. */
  readonly trustedHostKeys?: TrustedHostKeys;
}

/** How a command on a channel ended, as reported by sshd. Both null: sshd reported nothing. */
export interface ExitStatus {
  readonly code: number | null;
  /** Without the SIG prefix, as the protocol carries it: `TERM`, `KILL`. */
  readonly signal: string | null;
}

export interface ChannelEnd extends ExitStatus {
  /** `disconnected`: the connection was lost before the channel was closed. */
  readonly reason: 'closed' | 'disconnected';
}

/** The connection of a channel. */
export interface ChannelConnection {
  /** Whether it gets new work. */
  readonly usable: boolean;
  /** Time, in ms, since data arrived from the SSH server, which answers a keepalive request every three seconds. */
  readonly silentMs: number;
  /** Gives it no more work. Its running commands continue. */
  distrust(): void;
}

/** One running command on one SSH session channel. */
export interface RemoteChannel {
  readonly connection: ChannelConnection;
  /** Destroyed when the command ends or closes its stdin: a pipeline into it then fails. A call of `end()` never fails. */
  readonly stdin: Writable;
  /**
   * Read, resume or destroy both streams: unread output blocks the command, and `closed` does not resolve. `close()`
   * destroys them. After a disconnect they end after the data that has arrived, so only `closed` tells whether it is complete.
   */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when sshd reports the exit of the command (streams may still be open), or at the latest when the channel is gone. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Resolves when the channel is closed and both streams have ended, or the connection is lost. Never rejects. Frees the session. */
  readonly closed: Promise<ChannelEnd>;
  /** Closes our side at once, without waiting for the command. sshd does not stop the command because of it. */
  close(): void;
}

export interface OpenOptions {
  /** `control` (kills, probes) may use the reserved session, so that commands can be killed even if all other sessions are busy. */
  readonly priority?: 'work' | 'control';
  /** Stops waiting for a session; the command has not been sent then. */
  readonly signal?: AbortSignal;
}
