import type { Config } from '../../config/settings-schema.ts';
import type { ConfigError } from '../../config/sources.ts';
import { isLoopback } from '../../lib/loopback.ts';

/** What keeps a server from being started so, and what the operator must know if it is. */
export interface Exposure {
  readonly faults: readonly ConfigError[];
  readonly warnings: readonly string[];
}

type Exposed = Pick<Config, 'serverHost' | 'httpAuth' | 'behindProxy' | 'httpTlsCert' | 'httpTlsKey'>;

/** Judges how far the settings open the server. Pure. */
export function judgeExposure({
  serverHost,
  httpAuth,
  behindProxy,
  httpTlsCert,
  httpTlsKey,
}: Exposed): Exposure {
  const faults: ConfigError[] = [];
  const warnings: string[] = [];
  const open = !isLoopback(serverHost);
  if (open && !httpAuth) {
    faults.push({
      name: 'HTTP_AUTH',
      problem: `--no-auth (HTTP_AUTH=false) with SERVER_HOST=${serverHost} would let everybody who can reach it act as root`,
      remedy: 'Leave --no-auth out (a token is made for you), or leave SERVER_HOST at 127.0.0.1.',
    });
  }
  if ((httpTlsCert === undefined) !== (httpTlsKey === undefined)) {
    const [given, missing] =
      httpTlsCert === undefined ? ['HTTP_TLS_KEY', 'HTTP_TLS_CERT'] : ['HTTP_TLS_CERT', 'HTTP_TLS_KEY'];
    faults.push({
      name: missing,
      problem: `${given} is set, ${missing} is not`,
      remedy: 'Set both for TLS, or none.',
    });
  }
  if (open && httpTlsCert === undefined && !behindProxy) {
    warnings.push(
      `WARNING: without TLS. Whoever can listen on the way to ${serverHost} reads the token and with it acts as root. ` +
        'Set HTTP_TLS_CERT and HTTP_TLS_KEY, or put a proxy with TLS in front and say --behind-proxy.',
    );
  }
  if (!open && !httpAuth) {
    warnings.push(
      behindProxy
        ? 'WARNING: without authentication, and behind a proxy: whoever the proxy lets through acts as root.'
        : 'Without authentication: every user and program of this machine may use it.',
    );
  }
  return { faults, warnings };
}
