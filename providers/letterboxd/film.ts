import {
  cellOf,
  contentHash,
  isPlausible,
  type Json,
  type MediaItem,
  parseUtc,
  type Rejected,
  reject,
} from '@mca/core/provider-kit';
import type { Table } from './table.ts';

/** A film as one row names it. */
export interface Film {
  /**
   * 16 hexadecimal digits of the SHA-256 of name and year: all that every file has. The address in the diary is that of the
   * entry, in the other files that of the film.
   */
  readonly id: string;
  /** Last part of the address of the row: of the entry in the diary, of the film elsewhere. */
  readonly code: string | undefined;
  readonly title: string;
  readonly url: string | undefined;
  readonly metadata: Readonly<Record<string, Json>>;
}

const SHORT_ADDRESS = /^https?:\/\/boxd\.it\/([A-Za-z0-9]{1,20})\/?$/;
const LONG_ADDRESS = /^https?:\/\/(?:www\.)?letterboxd\.com\/([\w./~-]{1,200}?)\/?$/;
/** No address is longer, and a cell can be huge. */
const ADDRESS_LENGTH_MAX = 300;
const TITLE_LENGTH_MAX = 1_000;

/** The film of a row, or what is wrong with it. */
export function filmOf(row: readonly string[], { columns }: Table): Film | Rejected {
  const title = cellOf(row, columns.name);
  if (title === '') return reject('missing_title', 'the name is empty', 'Name');
  if (title.length > TITLE_LENGTH_MAX) return reject('too_long', 'the name is longer than any', 'Name');
  const year = cellOf(row, columns.year);
  const isYear = /^[12]\d{3}$/.test(year);
  if (year !== '' && !isYear) return reject('invalid_year', 'the year has not four digits', 'Year');
  const uri = cellOf(row, columns.uri);
  const code = codeOf(uri);
  return {
    id: contentHash(title, year),
    code,
    title,
    url: code === undefined ? undefined : uri,
    metadata: isYear ? { year: Number(year) } : {},
  };
}

function codeOf(uri: string): string | undefined {
  if (uri.length > ADDRESS_LENGTH_MAX) return undefined;
  return SHORT_ADDRESS.exec(uri)?.[1] ?? LONG_ADDRESS.exec(uri)?.[1];
}

/** Name of a film for ever. Titles and years are corrected now and then, addresses are not. */
export function filmKey({ code, id }: Film): string {
  return `film:${code ?? id}`;
}

/** Midnight of the day in a cell, nothing for an empty cell, or what is wrong with it. */
export function dayOf(text: string, { times }: Table, field: string): number | undefined | Rejected {
  if (text === '') return undefined;
  const day = text.length === 10 ? parseUtc(text) : undefined;
  if (day === undefined) return reject('invalid_date', 'it is no day written as year-month-day', field);
  return isPlausible(day, times) ? day : reject('implausible_date', 'the day is before 1900 or in the future', field);
}

/** Half stars, nothing for an empty cell, or what is wrong with it. */
export function starsOf(text: string): number | undefined | Rejected {
  if (text === '') return undefined;
  // Some spreadsheets write a comma.
  const isStars = /^(?:[1-5](?:[.,]0)?|[0-4][.,]5)$/.test(text);
  return isStars ? Number(text.replace(',', '.')) : reject('invalid_rating', 'stars are not 0.5 to 5', 'Rating');
}

/** What all items about a film have in common. */
export function basicsOf(film: Film): Omit<MediaItem, 'externalId' | 'action' | 'consumedAt' | 'source'> {
  return {
    platform: 'letterboxd',
    type: 'video',
    subtype: 'movie',
    title: film.title,
    tags: [],
    contentId: film.id,
    ids: {},
    precision: 'day',
    rawMetadata: film.metadata,
  };
}

/** Whether a reading of a cell went wrong. */
export function isRejected(value: unknown): value is Rejected {
  return typeof value === 'object' && value !== null && 'reject' in value;
}
