import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { usesCluster } from './rig/uses-rig.ts';

/** They take minutes on any machine: they install packages, or wait for a client's limit of time. */
const LONGEST = /\/(?:setup|image|impatient-client)\.test\.ts$/;
/** They wait for the limits of time of scripts, and use little of the processor meanwhile. The longest have `mutations` in their names. */
const WAITING = /\/test\/scripts\/[^/]+$/;
const MUTATIONS = /mutations\.test\.ts$/;

/**
 * Starts the longest files first, and distributes the files that wait over the run, so that others use the processor meanwhile. It
 * also distributes the files that use the cluster: their suites run one at a time, so two at once would block a worker, and the
 * last ones would run alone. Unit tests come last, because they are short.
 */
export class OrderSuites extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const units = sorted.filter(({ project }) => project.name === 'src');
    const suites = sorted.filter(({ project }) => project.name !== 'src');
    const longest = suites.filter(({ moduleId }) => LONGEST.test(moduleId));
    const waiting = suites.filter(({ moduleId }) => WAITING.test(moduleId));
    const first = waiting.filter(({ moduleId }) => MUTATIONS.test(moduleId));
    const later = waiting.filter(({ moduleId }) => !MUTATIONS.test(moduleId));
    const rest = suites.filter(({ moduleId }) => !LONGEST.test(moduleId) && !WAITING.test(moduleId));
    const cluster = rest.filter(({ moduleId }) => usesCluster(moduleId));
    const others = rest.filter(({ moduleId }) => !usesCluster(moduleId));
    return [...longest, ...spread([...first, ...later], spread(cluster, others)), ...units];
  }
}

/** Inserts the few at equal distances among the many, beginning with one of the few. */
function spread<T>(few: readonly T[], many: readonly T[]): T[] {
  const all: T[] = [];
  for (const [index, one] of few.entries()) {
    const [from, to] = [index, index + 1].map((each) => Math.round((each * many.length) / few.length));
    all.push(one, ...many.slice(from, to));
  }
  return few.length === 0 ? [...many] : all;
}
