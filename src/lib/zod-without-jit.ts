import * as z from 'zod';

/*
 * Import this before modules that define schemas. By default, zod compiles a parser for each schema at first use, which is
 * worth it only after thousands of calls; a server start uses many schemas once.
 */
z.config({ jitless: true });
