import { DockerfileParser } from 'dockerfile-ast';
import * as z from 'zod';

/** The steps of a build, in order. */
export type Step =
  | { readonly kind: 'run'; readonly command: string; readonly at: Place }
  | {
      readonly kind: 'copy';
      /** A stage; undefined: the build context. */
      readonly from: string | undefined;
      readonly sources: readonly string[];
      readonly destination: string;
      readonly at: Place;
    };

interface Place {
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
}

/** One stage of a Dockerfile: the steps of its build, and how a container of it starts. */
export interface Stage {
  readonly name: string | undefined;
  readonly base: string;
  readonly steps: Step[];
  workdir: string;
  env: Readonly<Record<string, string>>;
  user: string;
  volumes: readonly string[];
  ports: readonly string[];
  healthcheck: readonly string[];
  entrypoint: readonly string[];
  cmd: readonly string[];
}

const words = z.array(z.string()).nonempty();

/** Reads a Dockerfile. @throws Error for an unsupported instruction, which would stay untested */
export function readDockerfile(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const keyword = instruction.getKeyword();
    const args = instruction.getArguments().map(String);
    const raw = instruction.getRawArgumentsContent() ?? '';
    if (keyword === 'FROM') {
      const [base = '', as, name] = args;
      if (as !== undefined && as !== 'AS') throw new Error(`FROM ${raw} is not understood`);
      stages.push(newStage(base, name));
      continue;
    }
    const stage = stages.at(-1);
    if (!stage) throw new Error(`${keyword} before the first FROM`);
    const at = { workdir: stage.workdir, env: stage.env };
    switch (keyword) {
      case 'LABEL':
        break;
      case 'WORKDIR':
        stage.workdir = raw;
        break;
      case 'RUN':
        stage.steps.push({ kind: 'run', command: raw, at });
        break;
      case 'COPY': {
        const [, from] = /^COPY\s+--from=(\S+)\s/.exec(instruction.getTextContent()) ?? [];
        if (from === undefined && /^COPY\s+--/.test(instruction.getTextContent())) throw new Error(raw);
        stage.steps.push({
          kind: 'copy',
          from,
          sources: args.slice(0, -1),
          destination: args.at(-1) ?? '',
          at,
        });
        break;
      }
      case 'ENV':
        stage.env = { ...stage.env, ...pairs(raw) };
        break;
      case 'VOLUME':
        stage.volumes = [...stage.volumes, ...json(raw)];
        break;
      case 'EXPOSE':
        stage.ports = [...stage.ports, ...args];
        break;
      case 'USER':
        stage.user = raw;
        break;
      case 'HEALTHCHECK':
        stage.healthcheck = json(raw.replace(/^CMD\s+/, ''));
        break;
      case 'ENTRYPOINT':
        stage.entrypoint = json(raw);
        break;
      case 'CMD':
        stage.cmd = json(raw);
        break;
      default:
        throw new Error(`${keyword} is not understood`);
    }
  }
  return stages;
}

function newStage(base: string, name: string | undefined): Stage {
  return {
    name,
    base,
    steps: [],
    workdir: '/',
    env: {},
    user: '0:0',
    volumes: [],
    ports: [],
    healthcheck: [],
    entrypoint: [],
    cmd: [],
  };
}

/** The form in which Docker starts no shell. */
function json(raw: string): readonly string[] {
  return words.parse(JSON.parse(raw));
}

function pairs(raw: string): Record<string, string> {
  const found = raw.replaceAll(/\\\n/g, ' ').trim().split(/\s+/);
  return Object.fromEntries(
    found.map((pair) => {
      const [, name = '', value = ''] = /^(\w+)=([^"'$\\]*)$/.exec(pair) ?? [];
      if (name === '') throw new Error(`ENV ${pair} is not understood`);
      return [name, value];
    }),
  );
}
