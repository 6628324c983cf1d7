import { METHODS } from 'node:http';

/** Methods in upper case that a request may have: those that Node knows, and two of caches. */
export const httpMethods: readonly string[] = [...METHODS, 'BAN', 'REFRESH'];
