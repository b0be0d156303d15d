import type { Readable, Writable } from 'node:stream';

export type HostKeyPolicy = 'strict' | 'accept-new' | 'insecure';

/** Everything needed to reach and log in to one SSH server. */
export interface SshTarget {
  /** Address or name that is dialled. */
  readonly host: string;
  readonly port: number;
  readonly username: string;
  /** Name under which the host key is looked up instead of `host:port` (OpenSSH's HostKeyAlias). */
  readonly hostKeyAlias?: string;
  /** Private key files, in the order in which they are tried; the ones that the operator named come first. */
  readonly identityFiles: readonly string[];
  /** Offer nothing but `identityFiles` (and keys of the agent that match them). */
  readonly identitiesOnly?: boolean;
  readonly passphrase?: string;
  readonly password?: string;
  /** Socket or pipe of an ssh-agent. */
  readonly agent?: string;
  /** The variable of the environment that names it, if one does. */
  readonly agentVariable?: string;
  /** Hosts to go through, first hop first. A hop has no jumps of its own. */
  readonly jumps: readonly SshTarget[];
  readonly hostKeyPolicy: HostKeyPolicy;
  /** Files that are read for host keys, in order. */
  readonly knownHostsFiles: readonly string[];
  /** The file that a key accepted under `accept-new` is written to. */
  readonly knownHostsWriteFile: string;
}

/** How a command on a channel ended, as sshd reported it. Both null: sshd said nothing. */
export interface ExitStatus {
  readonly code: number | null;
  /** Without the SIG prefix, as the protocol carries it: `TERM`, `KILL`. */
  readonly signal: string | null;
}

export interface ChannelEnd extends ExitStatus {
  /** `disconnected`: the connection was lost before the channel was closed in order. */
  readonly reason: 'closed' | 'disconnected';
}

/** One running command on one SSH session channel. */
export interface RemoteChannel {
  /** Destroyed when the command takes no more input: a pipeline into it then fails. A command that ends does not fail `end()`. */
  readonly stdin: Writable;
  /**
   * Read, resume or destroy both streams: unread output holds the command back and `closed` with it. After `close()` they
   * are destroyed. After a disconnect they end behind what has arrived, so only `closed` tells whether that is all.
   */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when sshd reports the exit of the command (streams may still be open), or at the latest when the channel is gone. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Resolves when the channel is closed and both streams have ended, or the connection is lost. Never rejects. Frees the session. */
  readonly closed: Promise<ChannelEnd>;
  /** Closes our side at once, without waiting for the command; sshd does not stop the command for that. */
  close(): void;
}

export interface OpenOptions {
  /** `control` (kills, probes) draws on sessions kept free of ordinary work, so that a full house can still be cleared. */
  readonly priority?: 'work' | 'control';
  /** Gives up waiting for a session; the command has then not been sent. */
  readonly signal?: AbortSignal;
}
