import * as z from 'zod';

/*
 * To be imported before what makes schemas. zod would compile a parser for each of them at first use, which pays for itself
 * after thousands of calls; a start of the server uses many schemas once.
 */
z.config({ jitless: true });
