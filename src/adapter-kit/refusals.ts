import { McaError } from '../contracts/errors.ts';

/** The writer no longer holds its lease: somebody took it over, or the import or user was taken away meanwhile. */
export function leaseLost(resource: string): McaError {
  return new McaError({
    code: 'storage',
    reason: 'lease_lost',
    message: `The lease on ${resource} is no longer ours; nothing was written.`,
    hint: 'Start again: a new run takes a new lease and goes on from the last committed page.',
  });
}

/** The import was undone, so nothing more may be added to it. */
export function importUndone(importId: string): McaError {
  return new McaError({
    code: 'storage',
    reason: 'lease_lost',
    message: `Import ${importId} was undone; nothing was written.`,
    hint: 'Import the file again to get a new import.',
  });
}

/** A page names a connection that does not exist, or no longer. */
export function unknownConnection(connectionId: string): McaError {
  return new McaError({
    code: 'not_found',
    reason: 'connection_unknown',
    message: `There is no connection ${connectionId}; nothing was written.`,
  });
}

/** A page names an import that another connection has begun. */
export function foreignImport(importId: string): McaError {
  return new McaError({
    code: 'invalid_data',
    reason: 'foreign_import',
    message: `Import ${importId} belongs to another connection.`,
  });
}

/** A newer release has changed the schema, and this one cannot know what it means. */
export function schemaTooNew(version: number, newest: number): McaError {
  return new McaError({
    code: 'storage',
    reason: 'schema_too_new',
    message: `The database has schema version ${version}; this release knows ${newest}.`,
    hint: 'A newer release of @mca/core has used this database. Upgrade this one.',
  });
}
