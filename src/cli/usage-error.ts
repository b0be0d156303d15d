/** What is wrong with the command line, in words for the person who wrote it; the exit code is 2. */
export class UsageError extends Error {}
