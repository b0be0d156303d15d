import * as z from 'zod';

/*
 * Must be imported before any schema is created. By default, zod compiles a parser for each schema at first use, which pays off
 * only after thousands of calls, while a start of the server uses many schemas once.
 */
z.config({ jitless: true });
