/** How to install this program; README, help, examples and `init` are generated from it. */
export interface PackageInfo {
  readonly name: string;
  /** Whether the package is in the npm registry. Until then, no text may tell users to install it from there. */
  readonly published: boolean;
  /** The https URL of the public repository; undefined until there is one. package.json gets `repository` and `bugs` from it. */
  readonly repository?: string;
}

export const PACKAGE: PackageInfo = { name: 'proxmox-mcp-server', published: false };

/** The command that installs the program: from the registry, or from a clone in the working directory. */
export function installCommand({ name, published }: PackageInfo = PACKAGE): string {
  return published
    ? `npm install -g ${name}`
    : 'npm ci && npm install -g "$(npm pack --silent --foreground-scripts=false)"';
}
