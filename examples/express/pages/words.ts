import { type ErrorCode, McaError } from '@mca/core';

/** What a person was about to do when it failed. */
export type Task = 'connect' | 'sync' | 'import';

type Words = Readonly<Partial<Record<Task, string>> & { readonly always: string }>;

/**
 * What each code of the SDK means to a person, and what to do. Its own messages and hints are for developers: they go
 * into the log.
 */
const CODES: Readonly<Record<ErrorCode, Words>> = {
  auth_expired: {
    always: 'The service no longer lets us in: connect again.',
    connect: 'The service did not let us in, or this took too long. Connect again.',
  },
  rate_limit: { always: 'The service asked us to wait. Try again later.' },
  partial_sync: { always: 'Only a part came, and it is kept. Sync again later for the rest.' },
  upstream: { always: 'The service does not answer as it should. It is not your fault: try again in a while.' },
  invalid_data: {
    always: 'What was sent was not understood. Go back and try again.',
    sync: 'The service sent something that nobody here understands. What you have stays as it is; try again later.',
    import: 'This cannot be read. Choose the file as the service sent it, and upload it again.',
  },
  permission_denied: {
    always: 'The service does not allow this. Look at your settings there, then connect again.',
  },
  file_parse_error: {
    always: 'This file cannot be read. Upload it as the service sent it, or ask there for a new one.',
  },
  not_found: {
    always: 'It is not there any more, or it is not yours. Go back to the services and look.',
    sync: 'The service does not know this account any more. Look whether it is still there, then connect again.',
    import: 'The file is gone. Upload it again.',
  },
  configuration: {
    always: 'This app is not set up for this. It is not your fault: tell whoever runs it, the log says more.',
  },
  storage: { always: 'Our database did not answer. What was stored before is safe: try again in a while.' },
  plugin: { always: 'Something in this app is broken. It is not your fault: tell whoever runs it, the log says more.' },
  unsupported: {
    always: 'This cannot be done with this service. Go back, and choose another way.',
    import: 'Files of this kind cannot be read here. Look below at what can.',
  },
  cancelled: { always: 'This was stopped. Start it again when you like.' },
};

const NEW_EXPORT = 'Ask the service for a new one, and upload it as it came.';
const SAVED_ELSEWHERE = `Did a spreadsheet open and save the file? ${NEW_EXPORT}`;
/** For an import that brought nothing. */
export const NOTHING_UNDERSTOOD = `None of it was understood. ${SAVED_ELSEWHERE}`;
/** For a sync that brought nothing. */
export const NOTHING_READABLE =
  'Nothing that the service sent was understood. It is kept apart: tell whoever runs this app, the log says more.';
const BROKEN_FILE = `This file is damaged, or the download broke off. ${NEW_EXPORT}`;
const TOO_MUCH = `This file unpacks to more than an export may hold. ${NEW_EXPORT}`;
const NO_TOKENS = 'This server takes no tokens. Tick "Send the password itself", if you accept that.';
const NO_SERVER =
  'No Subsonic server answers at this address. Look at the address, with its path, and whether a log-in page stands in front of it.';

/** Reasons that tell a person more than their code. */
const REASONS: Readonly<Record<string, string | Words>> = {
  // Connecting.
  access_denied: 'You said no, so nothing was connected. Connect again if you change your mind.',
  account_mismatch:
    'You logged in with another account than before, so nothing was changed. Connect again with the first one.',
  account_unknown:
    'You are connected already, and the service does not say whose account this is. Connect yours again from its card.',
  state_unknown: 'This took too long, or was done already. Connect again.',
  state_mismatch: 'This was begun in another browser. Connect again, here.',
  rejected: 'The service did not accept this. Look at what you filled in, and try again.',
  expired: 'The code has ended. Get a new one.',
  invalid_field: 'Something is missing, or not what it should be. Look at each field, and try again.',
  connection_unknown: 'This connection is gone, or it is not yours. Go back to the services and connect anew.',
  missing_scopes: 'You did not allow all that this needs. Connect again, and leave everything ticked.',
  user_not_registered: 'This app may only read accounts that its owner has entered there. Ask whoever runs it.',
  email_not_verified: 'The service wants your e-mail address confirmed first. Do that there, then try again.',
  // Servers of one's own.
  address_blocked:
    'This app may not go to this address: it lies in a private network. Use a public address, or ask whoever runs the app.',
  no_subsonic_server: NO_SERVER,
  not_json: NO_SERVER,
  network: 'There was no answer. Look whether the service is up and the address is right, then try again.',
  timeout: 'The answer took too long. Try again in a while.',
  token_refused: NO_TOKENS,
  parameter_missing: NO_TOKENS,
  auth_mechanism: NO_TOKENS,
  protocol_version: 'This server speaks a version of Subsonic that nobody here does. Bring it up to date.',
  trial_over: 'The trial of this server is over. Renew it there, then try again.',
  // Syncing.
  needs_reauth: 'The service no longer lets us in: connect again.',
  not_connected: 'This account is not connected any more. Connect it again.',
  already_running: 'A sync is running already. Try again in a minute.',
  not_yet: 'The service asked us to wait. Try again later.',
  rate_limited: 'The service asked us to wait. Try again later.',
  circuit_open: 'The service has failed again and again, so it is left alone for a while. Try again later.',
  quota_exceeded: 'The service lets this app ask only so much a day, and it is used up. Try again tomorrow.',
  disabled: 'This connection is switched off. Connect it again to switch it on.',
  connection_disabled: 'This connection is switched off. Connect it again to switch it on.',
  coverage_gap:
    'The service keeps too little to catch up, so some is missing. Import its export to fill the gap, and sync more often.',
  rejected_records: {
    always: 'Some records were not understood. They are kept apart, and nothing is for you to do.',
    import: `Some records were not understood, and are not in. ${SAVED_ELSEWHERE}`,
  },
  private_history: 'Your history is private at the service. Show it to apps in your settings there, then sync again.',
  unknown_user: 'The service knows no user of this name. Look at the name, and connect again.',
  no_channel: 'This Google account has no YouTube channel, and so no likes. Connect one that has.',
  account_locked: 'The service has locked your account. Talk to them, then sync again.',
  account_limit: 'Your account there is full. Make room, or sync again when you have.',
  vip_only: 'The service gives this to paying accounts only. Nothing else is missing.',
  subscribers_only: 'The service gives this to paying accounts only. Nothing else is missing.',
  // Importing.
  ambiguous_date: 'The dates in this file can be read in two ways. Choose their order below, and upload it again.',
  ambiguous_time_zone: 'The times in this file can be read in two ways. Export it as JSON, and upload that.',
  unknown_date_format:
    'The dates in this file are written in an unknown way. Do not open and save it on the way: upload it as it came.',
  unrecognised_file: 'Nobody here knows this file. Look below at what can be read, and upload it as it came.',
  too_many_bad_records: `Too little of this file was understood. ${SAVED_ELSEWHERE}`,
  csv_line_ends: `This file cannot be read. ${SAVED_ELSEWHERE}`,
  film_list: 'This is one of your lists of films, which says nothing of watching. Upload the zip as it came.',
  renamed_file: 'This lists films, and only its first name could say why. Upload the zip as it came.',
  old_export: `Nobody here reads exports of its age. ${NEW_EXPORT}`,
  unknown_format: `Nobody here knows this file. ${NEW_EXPORT}`,
  nothing_to_import: 'There is no history in this file. Look whether you chose history when you asked for the export.',
  unsupported_language: 'This file is in a language that nobody here reads. Export it as JSON, and upload that.',
  no_activity_cells: 'There is no activity on this page. Export it as JSON, and upload that.',
  mixed_files: 'These files are of different services. Upload those of each service by themselves.',
  html_page: 'This is a web page, and no export. Log in at the service, and download the file itself.',
  txt_export: 'This is the text form of the export. Ask for JSON, and upload that.',
  too_many_files: 'There are too many files in this. Upload them in smaller parts.',
  empty_file: `This file is empty. ${NEW_EXPORT}`,
  csv_empty: `This file is empty. ${NEW_EXPORT}`,
  json_truncated: BROKEN_FILE,
  zip_truncated: BROKEN_FILE,
  zip_damaged: BROKEN_FILE,
  zip_size_mismatch: BROKEN_FILE,
  zip_encrypted: 'This zip has a password. Unpack it, and upload what is in it.',
  zip_ratio: TOO_MUCH,
  zip_entry_too_large: TOO_MUCH,
  zip_total_too_large: TOO_MUCH,
  zip_too_many_entries: TOO_MUCH,
};

/** All keys of {@link wordsOf}, for tests. */
export const KNOWN_REASONS: readonly string[] = Object.keys(REASONS);

/**
 * What has happened and what to do, by a code or reason of the SDK. The key may come out of an address, where anybody can
 * write one: it only chooses among texts of ours.
 */
export function wordsOf(key: string, task?: Task): string | undefined {
  const words = Object.hasOwn(REASONS, key) ? REASONS[key] : Object.hasOwn(CODES, key) && CODES[key as ErrorCode];
  if (!words || typeof words === 'string') return words || undefined;
  return (task && words[task]) ?? words.always;
}

/** The key for {@link wordsOf}: the reason where it tells more, else the code. */
export function keyOf({ code, reason }: { readonly code: ErrorCode; readonly reason?: string | undefined }): string {
  return reason !== undefined && Object.hasOwn(REASONS, reason) ? reason : code;
}

/** An error of the SDK, for a person. */
export function wordsFor(error: McaError, task?: Task): string {
  // Reports wrap what stopped them.
  const told = error.code === 'partial_sync' && McaError.isInstance(error.cause) ? error.cause : error;
  const line = told.code === 'file_parse_error' ? told.position?.line : undefined;
  return `${wordsOf(keyOf(told), task)}${line === undefined ? '' : ` It is about line ${line}.`}`;
}
