import { Buffer } from 'node:buffer';
import { constants, crc32, deflateRawSync } from 'node:zlib';

/** One entry of an archive made by {@link makeZip}. What is claimed may differ from what is there. */
export interface ZipEntrySpec {
  readonly name: string | Uint8Array;
  /** @default empty */
  readonly content?: string | Uint8Array | undefined;
  /** Deflated, or stored as it is. @default true */
  readonly deflate?: boolean | undefined;
  /** Compressed bytes made elsewhere; `content` is ignored, `size` and `crc32` should be given. */
  readonly compressed?: Uint8Array | undefined;
  /** Claimed size after decoding, bytes. @default the real one */
  readonly size?: number | undefined;
  /** Claimed checksum. @default the real one */
  readonly crc32?: number | undefined;
  /** Claimed compressed size, bytes. @default the real one */
  readonly compressedSize?: number | undefined;
  /** Points the directory at the local header of an earlier entry (by index) and writes none of its own. */
  readonly sharesDataOf?: number | undefined;
  /** General purpose bits; 0x800 (UTF-8 name) is always set. @default 0 */
  readonly flags?: number | undefined;
  /** Unix mode, such as `0o120777` for a symbolic link. @default 0o100644 */
  readonly mode?: number | undefined;
  /** Writes sizes and offset in the zip64 extra field. @default false */
  readonly zip64?: boolean | undefined;
}

/** How {@link makeZip} ends the archive. */
export interface MakeZipOptions {
  /** Bytes in front of the archive; offsets count from behind them, as in self-extracting files. */
  readonly prefix?: Uint8Array | undefined;
  /** Adds the zip64 end record. @default as the number of entries needs */
  readonly zip64?: boolean | undefined;
}

/** Writes a zip archive in memory, an honest one or not. For tests only: it checks nothing. */
export function makeZip(entries: readonly ZipEntrySpec[], options: MakeZipOptions = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name as string);
    const content = Buffer.from((entry.content ?? '') as string);
    const isDeflated = entry.deflate ?? true;
    const data = entry.compressed ?? (isDeflated ? deflateRawSync(content) : content);
    const fields: HeaderFields = {
      flags: 0x800 | (entry.flags ?? 0),
      method: isDeflated ? 8 : 0,
      crc: entry.crc32 ?? crc32(content),
      compressedSize: entry.compressedSize ?? data.length,
      size: entry.size ?? content.length,
      nameLength: name.length,
      zip64: entry.zip64 ?? false,
    };
    const shared = entry.sharesDataOf === undefined ? undefined : offsets[entry.sharesDataOf];
    offsets.push(shared ?? offset);
    directory.push(directoryHeader(fields, shared ?? offset, entry.mode ?? 0o100644, name));
    if (shared !== undefined) continue;
    const local = localHeader(fields);
    parts.push(local, name, data);
    offset += local.length + name.length + data.length;
  }
  const directorySize = directory.reduce((sum, part) => sum + part.length, 0);
  const end = endRecords(entries.length, directorySize, offset, options.zip64 ?? entries.length >= 0xffff);
  return Buffer.concat([...(options.prefix ? [options.prefix] : []), ...parts, ...directory, end]);
}

/** A hostile or unusual archive, and what becomes of it. */
export interface HostileZip {
  readonly name: string;
  /** Makes the archive. */
  build(): Uint8Array;
  /** Reason of the error on opening it or reading its entries; `undefined` when it reads like any other. */
  readonly reason: string | undefined;
}

const ROWS = 'Title,Date\n'.repeat(1_000);

/** Archives that did harm to other programs, small when built; a reader of zips must meet each in a known way. */
export function hostileZips(): readonly HostileZip[] {
  const one = { name: 'a.csv', content: ROWS };
  const named = (name: string | Uint8Array): Uint8Array => makeZip([one, { name, content: 'x' }]);
  return [
    { name: 'bomb: 512 MiB of zeros in half a MiB', build: () => bomb(512), reason: 'zip_ratio' },
    {
      name: 'lying size: says 10 bytes, holds more',
      build: () => makeZip([{ ...one, size: 10 }]),
      reason: 'zip_size_mismatch',
    },
    {
      name: 'lying size: says more than it holds',
      build: () => makeZip([{ ...one, size: 99_999 }]),
      reason: 'zip_size_mismatch',
    },
    {
      name: 'lying size: stored',
      build: () => makeZip([{ ...one, deflate: false, size: 10 }]),
      reason: 'zip_size_mismatch',
    },
    { name: 'wrong checksum', build: () => makeZip([{ ...one, crc32: 1 }]), reason: 'zip_damaged' },
    {
      name: 'overlap: two entries share one file',
      build: () => makeZip([one, { ...one, name: 'b.csv', sharesDataOf: 0 }]),
      reason: 'zip_overlap',
    },
    { name: 'overlap: an entry quotes the next', build: quotedOverlap, reason: 'zip_overlap' },
    { name: 'nested: five archives inside one another', build: nested, reason: undefined },
    { name: '100,000 entries', build: () => makeZip(manyEntries(100_000)), reason: 'zip_too_many_entries' },
    {
      name: 'truncated',
      build: () => makeZip([one, { ...one, name: 'b.csv', deflate: false }]).subarray(0, 6_000),
      reason: 'zip_truncated',
    },
    {
      name: 'prefixed: self-extracting',
      build: () => makeZip([one], { prefix: Buffer.from('#!/bin/sh\n') }),
      reason: 'zip_prefixed',
    },
    { name: 'encrypted', build: () => makeZip([{ ...one, flags: 1 }]), reason: 'zip_encrypted' },
    { name: 'zip64', build: () => makeZip([{ ...one, zip64: true }], { zip64: true }), reason: undefined },
    { name: 'duplicate names', build: () => makeZip([one, one]), reason: 'zip_duplicate_name' },
    {
      name: 'symbolic link',
      build: () => makeZip([{ name: 'a.csv', content: '/etc/passwd', mode: 0o120777 }]),
      reason: 'zip_symlink',
    },
    { name: 'name with NUL', build: () => named('a.csv\0.exe'), reason: 'zip_entry_name' },
    { name: 'name of 300 characters', build: () => named('n'.repeat(300)), reason: 'zip_entry_name' },
    { name: 'slip: ../', build: () => named('../../evil.sh'), reason: 'zip_entry_name' },
    { name: 'slip: absolute', build: () => named('/etc/cron.d/evil'), reason: 'zip_entry_name' },
    { name: 'slip: drive', build: () => named('C:/evil.bat'), reason: 'zip_entry_name' },
    { name: 'slip: backslash', build: () => named('..\\evil.bat'), reason: 'zip_entry_name' },
  ];
}

/** One entry of so many MiB of zeros, about a thousandth of that in size. */
function bomb(mebibytes: number): Uint8Array {
  const zeros = Buffer.alloc(1024 * 1024);
  // A flushed block does not refer to what came before it, so it may be repeated.
  const block = deflateRawSync(zeros, { finishFlush: constants.Z_FULL_FLUSH });
  const blocks = Array.from({ length: mebibytes }, () => block);
  const compressed = Buffer.concat([...blocks, deflateRawSync(Buffer.alloc(0))]);
  let sum = 0;
  for (let index = 0; index < mebibytes; index += 1) sum = crc32(zeros, sum);
  return makeZip([{ name: 'bomb.csv', compressed, size: mebibytes * zeros.length, crc32: sum }]);
}

/** The first entry's data are a stored block that holds the whole second entry, and then that entry's data. */
function quotedOverlap(): Uint8Array {
  const inner = makeZip([{ name: 'b.csv', content: ROWS, deflate: false }]);
  const quoted = inner.subarray(0, 30 + 'b.csv'.length + ROWS.length);
  const archive = makeZip([
    { name: 'a.csv', content: quoted, deflate: false },
    { name: 'b.csv', content: ROWS, deflate: false, sharesDataOf: 0 },
  ]);
  // Point the second directory entry at the header inside the first entry's data.
  const second = Buffer.from(archive).lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  new DataView(archive.buffer, archive.byteOffset).setUint32(second + 42, 30 + 'a.csv'.length, true);
  return archive;
}

function nested(): Uint8Array {
  let inner = makeZip([{ name: 'a.csv', content: ROWS }]);
  for (let depth = 0; depth < 5; depth += 1) inner = makeZip([{ name: 'inner.zip', content: inner, deflate: false }]);
  return inner;
}

function manyEntries(count: number): ZipEntrySpec[] {
  return Array.from({ length: count }, (_, index) => ({ name: `${index}.csv`, deflate: false }));
}

interface HeaderFields {
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly nameLength: number;
  readonly zip64: boolean;
}

function localHeader(fields: HeaderFields): Uint8Array {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  writeCommon(header, 6, fields);
  return header;
}

function directoryHeader(fields: HeaderFields, offset: number, mode: number, name: Uint8Array): Uint8Array {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  // Made on Unix: only then does the mode mean anything.
  header.writeUInt16LE((3 << 8) | 45, 4);
  header.writeUInt16LE(fields.zip64 ? 45 : 20, 6);
  writeCommon(header, 8, fields);
  header.writeUInt32LE((mode << 16) >>> 0, 38);
  header.writeUInt32LE(offset, 42);
  if (!fields.zip64) return Buffer.concat([header, name]);
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  extra.writeBigUInt64LE(BigInt(fields.size), 4);
  extra.writeBigUInt64LE(BigInt(fields.compressedSize), 12);
  extra.writeBigUInt64LE(BigInt(offset), 20);
  header.writeUInt32LE(0xffffffff, 20);
  header.writeUInt32LE(0xffffffff, 24);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(0xffffffff, 42);
  return Buffer.concat([header, name, extra]);
}

function writeCommon(header: Buffer, at: number, fields: HeaderFields): void {
  header.writeUInt16LE(fields.flags, at);
  header.writeUInt16LE(fields.method, at + 2);
  header.writeUInt32LE(fields.crc, at + 8);
  header.writeUInt32LE(fields.compressedSize, at + 12);
  header.writeUInt32LE(fields.size, at + 16);
  header.writeUInt16LE(fields.nameLength, at + 20);
}

function endRecords(count: number, directorySize: number, directoryOffset: number, zip64: boolean): Uint8Array {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : count, 8);
  end.writeUInt16LE(zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : directorySize, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : directoryOffset, 16);
  if (!zip64) return end;
  const record = Buffer.alloc(76);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(45, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(directorySize), 40);
  record.writeBigUInt64LE(BigInt(directoryOffset), 48);
  record.writeUInt32LE(0x07064b50, 56);
  record.writeBigUInt64LE(BigInt(directoryOffset + directorySize), 64);
  record.writeUInt32LE(1, 72);
  return Buffer.concat([record, end]);
}
