import type { AnyProvider } from '@mca/core/provider-kit';
import { goodreads } from '../index.ts';

/** The provider as a host sets it up: the catalogue of the docs is made of these. */
export const example: AnyProvider = goodreads();
