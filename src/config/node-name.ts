import { type Flags, type Found, isSet, type Source } from './sources.ts';

/** The option or variable that sets the node before any file does, as the operator named it; undefined if none does. */
export function hostSetBy(flags: Flags, environment: Source): string | undefined {
  if (isSet(flags.host)) return '--ssh-host';
  const name = ['PROXMOX_HOST', 'HOST'].find((each) => isSet(environment.get(each)));
  return name === undefined ? undefined : `${name} in the environment`;
}

/** Values that shells and build tools give HOST: conda and tcsh export the platform, as in x86_64-conda-linux-gnu. */
const BUILD_TRIPLET = /^\w+-(?:\w+-)?(?:linux|darwin|apple|windows|mingw)\b/;

/** Says which of two different nodes is used: HOST of the environment may come from tcsh or conda instead of the operator. */
export function hostNotes(
  found: Found | undefined,
  environment: Source,
  file: Source | undefined,
): readonly string[] {
  const exported = environment.get('HOST')?.trim();
  if (found === undefined || file === undefined || !isSet(exported)) return [];
  if (found.name === 'HOST' && found.label === environment.label) {
    const hidden = file.get('HOST')?.trim();
    if (!isSet(hidden) || hidden === exported) return [];
    return [
      `HOST=${exported} (environment) hides HOST=${hidden} (${file.label}): to use the latter, name it PROXMOX_HOST there`,
    ];
  }
  const inFile = found.name === 'PROXMOX_HOST' && found.label === file.label;
  if (!inFile || found.value === exported || BUILD_TRIPLET.test(exported)) return [];
  return [
    `HOST=${exported} (environment) is not used, because ${file.label} sets PROXMOX_HOST=${found.value}: to use the former, set PROXMOX_HOST or --ssh-host`,
  ];
}
