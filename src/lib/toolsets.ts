/** The groups of tools that TOOLSETS selects. Each tool states its own. */
export const TOOLSETS = ['core', 'inspect', 'fleet', 'files', 'jobs'] as const;
export type Toolset = (typeof TOOLSETS)[number];
