import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../../../config/schema.ts';
import { LOCAL_CALLER } from '../../../lib/caller.ts';
import type { Authenticator } from '../types.ts';

/** Checks what a request says about its sender, as the settings want it. */
export async function createAuthenticator(config: Config): Promise<Authenticator> {
  const { httpAuth, httpToken = '' } = config;
  if (!httpAuth) return open;
  const wanted = digest(`Bearer ${httpToken}`);
  return {
    ...open,
    authenticate: async (request) => {
      const given = digest(request.headers.get('authorization') ?? '');
      if (httpToken !== '' && timingSafeEqual(given, wanted)) return { ...LOCAL_CALLER, name: 'token' };
      return new Response(null, { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } });
    },
  };
}

const open: Authenticator = {
  authenticate: async () => LOCAL_CALLER,
  publicDocument: async () => undefined,
};

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
