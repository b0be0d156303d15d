import * as z from 'zod';

const duration = z.string().regex(/^(\d+(ms|s|m|h))+$/);

const service = z.strictObject({
  build: z.string(),
  image: z.string(),
  container_name: z.string().optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']),
  env_file: z.string(),
  environment: z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string()),
  secrets: z.array(z.string()).default([]),
  ports: z.array(z.string().regex(/^[\d.]+:(\d+|\$\{\w+:-\d+\}):(\d+|\$\{\w+:-\d+\})$/)),
  volumes: z.array(z.string().regex(/^[\w./-]+:\/[\w/-]+(:ro)?$/)),
  read_only: z.boolean(),
  tmpfs: z.array(z.string().startsWith('/')),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string().regex(/^[\w-]+:\w+$/)),
  mem_limit: z.string().regex(/^\d+[kmg]$/),
  pids_limit: z.number().int().positive(),
  stop_grace_period: duration.optional(),
});

/** The part of the Compose Specification that the project's files use; any other key is an error until it is added here. */
export const composeFile = z.strictObject({
  services: z.record(z.string().regex(/^[a-z][a-z0-9-]*$/), service),
  secrets: z.record(z.string(), z.strictObject({ file: z.string().startsWith('./') })).default({}),
  volumes: z.record(z.string(), z.null()).default({}),
});
