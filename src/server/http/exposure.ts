import type { Config } from '../../config/settings-schema.ts';
import type { ConfigError } from '../../config/sources.ts';
import { isLoopback } from '../../lib/loopback.ts';

/** Why the server must not start with these settings, or what the operator must know if it does. */
export interface Exposure {
  readonly errors: readonly ConfigError[];
  readonly warnings: readonly string[];
}

type Exposed = Pick<Config, 'serverHost' | 'httpAuth' | 'behindProxy' | 'httpTlsCert' | 'httpTlsKey'>;

/** Checks whether the settings expose the server without protection. Pure. */
export function judgeExposure({
  serverHost,
  httpAuth,
  behindProxy,
  httpTlsCert,
  httpTlsKey,
}: Exposed): Exposure {
  const errors: ConfigError[] = [];
  const warnings: string[] = [];
  const open = !isLoopback(serverHost);
  if (open && !httpAuth) {
    errors.push({
      name: 'HTTP_AUTH',
      problem: `--no-auth (HTTP_AUTH=false) with SERVER_HOST=${serverHost} would allow anyone on the network to act as root`,
      remedy: 'Omit --no-auth (a token is then generated), or set SERVER_HOST to 127.0.0.1.',
    });
  }
  if ((httpTlsCert === undefined) !== (httpTlsKey === undefined)) {
    const [given, missing] =
      httpTlsCert === undefined ? ['HTTP_TLS_KEY', 'HTTP_TLS_CERT'] : ['HTTP_TLS_CERT', 'HTTP_TLS_KEY'];
    errors.push({
      name: missing,
      problem: `${given} is set, but ${missing} is not`,
      remedy: 'Set both for TLS, or neither.',
    });
  }
  if (open && httpTlsCert === undefined && !behindProxy) {
    warnings.push(
      `WARNING: no TLS. Anyone who can intercept traffic to ${serverHost} can steal the token and act as root. ` +
        'Set HTTP_TLS_CERT and HTTP_TLS_KEY, or use a reverse proxy with TLS and set --behind-proxy.',
    );
  }
  if (!open && !httpAuth) {
    warnings.push(
      behindProxy
        ? 'WARNING: no authentication behind a reverse proxy. Anyone whose requests the proxy forwards can act as root.'
        : 'WARNING: no authentication. Every user and program on this machine can use the server.',
    );
  }
  return { errors, warnings };
}
