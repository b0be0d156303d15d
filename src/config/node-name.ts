import { type Flags, type Found, isSet, type Source } from './sources.ts';

/** The option or variable that sets the node, for messages; undefined if neither does. */
export function hostSetBy(flags: Flags, environment: Source): string | undefined {
  if (isSet(flags.host)) return '--ssh-host';
  const name = ['PROXMOX_HOST', 'HOST'].find((each) => isSet(environment.get(each)));
  return name === undefined ? undefined : `${name} in the environment`;
}

/** Values that conda and tcsh export as HOST: the platform, such as x86_64-conda-linux-gnu. */
const BUILD_TRIPLET = /^\w+-(?:\w+-)?(?:linux|darwin|apple|windows|mingw)\b/;

/** Notes that say which node is used if two are set, because tcsh and conda export HOST. */
export function hostNotes(
  found: Found | undefined,
  environment: Source,
  file: Source | undefined,
): readonly string[] {
  const exported = environment.get('HOST')?.trim();
  if (found === undefined || file === undefined || !isSet(exported)) return [];
  if (found.name === 'HOST' && found.label === environment.label) {
    const overridden = file.get('HOST')?.trim();
    if (!isSet(overridden) || overridden === exported) return [];
    return [
      `HOST=${exported} (environment) overrides HOST=${overridden} (${file.label}): to use the latter, rename it to PROXMOX_HOST`,
    ];
  }
  const inFile = found.name === 'PROXMOX_HOST' && found.label === file.label;
  if (!inFile || found.value === exported || BUILD_TRIPLET.test(exported)) return [];
  return [
    `HOST=${exported} (environment) is ignored, because ${file.label} sets PROXMOX_HOST=${found.value}: to use the former, set PROXMOX_HOST or --ssh-host`,
  ];
}
