import { parse } from 'yaml';
import * as z from 'zod';

const size = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?[KMGT]$/, 'a number of bytes, or 512M, 8G')])
  .transform((value) => (typeof value === 'number' ? value : parseSize(value)));

const file = z.union([
  z.string(),
  z.strictObject({ content: z.string(), mode: z.string().optional(), owner: z.string().optional() }),
]);

const service = z.strictObject({
  /** The command line in the output of `ps`. */
  command: z.string(),
  state: z.enum(['running', 'failed', 'stopped']).default('running'),
  description: z.string().default(''),
  /** TCP ports on which it listens. */
  ports: z.array(z.number()).default([]),
  /** How often systemd has restarted it. */
  restarts: z.number().default(0),
});

const disk = z.strictObject({
  size: size.default(8 * 1024 ** 3),
  /** Used bytes in addition to the files below, or a part of the size, such as 94%. */
  used: z.union([size, z.string().regex(/^\d+(\.\d+)?%$/)]).default('20%'),
});

const snapshot = z.strictObject({ time: z.number(), description: z.string().default('') });

const container = z.strictObject({
  name: z.string(),
  /** debian has bash and systemd; alpine has busybox and OpenRC; none has no shell. */
  flavour: z.enum(['debian', 'alpine', 'none']).default('debian'),
  running: z.boolean().default(true),
  lock: z.string().optional(),
  template: z.boolean().default(false),
  tags: z.array(z.string()).default([]),
  description: z.string().default(''),
  cores: z.number().default(2),
  memory: size.default(512 * 1024 ** 2),
  memoryUsed: z
    .string()
    .regex(/^\d+%$/)
    .default('35%'),
  ip: z.string().optional(),
  /** Processes that the kernel has killed for want of memory. */
  oomKills: z.number().default(0),
  disk: disk.prefault({}),
  /** Further disks by mount point. */
  mounts: z.record(z.string(), z.strictObject({ size, readOnly: z.boolean().default(false) })).default({}),
  services: z.record(z.string(), service).default({}),
  files: z.record(z.string(), file).default({}),
  /** The output of programs that are not modeled: a pattern for the whole command line, and the text. */
  answers: z.record(z.string(), z.string()).default({}),
  snapshots: z.record(z.string(), snapshot).default({}),
  /** The guest ignores shutdown requests. */
  ignoresShutdown: z.boolean().default(false),
});

const storage = z.strictObject({
  type: z.string().default('lvmthin'),
  content: z.string().default('rootdir,images'),
  total: size,
  used: size,
});

const user = z.strictObject({
  password: z.string().optional(),
  /** The programs that the user may run as root: all, or a list of names. */
  sudo: z.union([z.literal('all'), z.array(z.string())]).default([]),
});

const node = z.strictObject({
  /** The address in `.members`. Default: 127.0.0.1 for the first node, 127.0.0.2 for the second, and so on. */
  address: z.string().optional(),
  version: z.string().default('9.1.6'),
  kernel: z.string().default('6.17.4-1-pve'),
  cores: z.number().default(8),
  memory: size.default(32 * 1024 ** 3),
  containers: z.record(z.coerce.number(), container).default({}),
  /** Virtual machines are only listed. */
  machines: z.record(z.coerce.number(), z.strictObject({ name: z.string() })).default({}),
  storages: z.record(z.string(), storage).default({}),
  files: z.record(z.string(), file).default({}),
  mounts: z.record(z.string(), z.strictObject({ size, readOnly: z.boolean().default(false) })).default({}),
});

const scenario = z.strictObject({
  /** The name of the cluster; without it, the nodes are independent. */
  cluster: z.string().optional(),
  /** Default: computed from the nodes that see each other. */
  quorate: z.boolean().optional(),
  users: z.record(z.string(), user).default({ root: { password: 'simulator', sudo: 'all' } }),
  /** Durations, in ms. */
  times: z
    .strictObject({
      pct: z.number().default(0),
      start: z.number().default(50),
      stop: z.number().default(20),
      shutdown: z.number().default(100),
      /** Delay between a request to the HA manager and its action. */
      ha: z.number().default(200),
      migrate: z.number().default(100),
    })
    .prefault({}),
  nodes: z.record(z.string(), node),
});

/** The content of a simulated cluster. Times are in ms, sizes in bytes. */
export type Scenario = z.output<typeof scenario>;
export type NodeScenario = z.output<typeof node>;
export type ContainerScenario = z.output<typeof container>;
export type ServiceScenario = z.output<typeof service>;
export type FileScenario = z.output<typeof file>;
export type ScenarioInput = z.input<typeof scenario>;

/** Reads a scenario from YAML text, or completes an object. @throws Error with all errors of the scenario */
export function readScenario(source: string | ScenarioInput): Scenario {
  const result = scenario.safeParse(typeof source === 'string' ? parse(source) : source);
  if (result.success) return result.data;
  throw new Error(`This is no scenario for the simulator:\n${z.prettifyError(result.error)}`);
}

/** The percentage of `whole`, or the number itself. */
export function share(value: number | string, whole: number): number {
  return typeof value === 'number' ? value : Math.round((Number.parseFloat(value) / 100) * whole);
}

function parseSize(text: string): number {
  return Math.round(Number.parseFloat(text) * 1024 ** ' KMGT'.indexOf(text.slice(-1)));
}
