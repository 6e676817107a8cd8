import { McaError } from '../contracts/errors.ts';
import type { ImportFile, ImportSource } from '../contracts/import-file.ts';

/** Turns whatever the host handed in into files that can be opened again and again. */
export function openSource(source: ImportSource): ImportFile {
  if (typeof source === 'string') return fileAt(source);
  if (source instanceof Uint8Array) return fileOfBlob(new Blob([source as Uint8Array<ArrayBuffer>]), 'bytes');
  if (source instanceof Blob)
    return fileOfBlob(source, 'name' in source && typeof source.name === 'string' ? source.name : 'upload');
  if (
    typeof source === 'object' &&
    source !== null &&
    typeof source.name === 'string' &&
    typeof source.open === 'function'
  )
    return source;
  throw new McaError({
    code: 'invalid_data',
    reason: 'invalid_source',
    message: 'This is nothing to import from.',
    hint: 'Hand in a path, a Blob or File, bytes, or { name, open() }. A bare stream cannot be read twice.',
  });
}

function fileOfBlob(blob: Blob, name: string): ImportFile {
  return {
    name,
    size: blob.size,
    open: () => blob.stream(),
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  };
}

/**
 * The root entry must load in bundles for other runtimes, so Node's modules are asked for only when a path is used.
 */
function nodeModules(): { fs: typeof import('node:fs'); path: typeof import('node:path') } {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } };
  const get = process?.getBuiltinModule;
  if (get) {
    return { fs: get('node:fs') as typeof import('node:fs'), path: get('node:path') as typeof import('node:path') };
  }
  throw new McaError({
    code: 'unsupported',
    reason: 'no_file_system',
    message: 'Paths can be imported only where there is a file system (Node 22.13 or newer).',
    hint: 'Hand in a Blob, bytes or { name, open() }.',
  });
}

function fileAt(path: string): ImportFile {
  const { fs, path: paths } = nodeModules();
  let stats: import('node:fs').Stats;
  try {
    stats = fs.statSync(path);
  } catch (cause) {
    throw new McaError({
      code: 'not_found',
      reason: 'no_such_file',
      message: `There is no file ${path}.`,
      hint: 'Check the path.',
      cause,
    });
  }
  const name = paths.basename(path);
  if (stats.isDirectory()) return folderAt(path, name);
  return {
    name,
    size: stats.size,
    open: async () => streamOf(await fs.promises.open(path)),
    async read(offset, length) {
      const handle = await fs.promises.open(path);
      try {
        const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
  };
}

const CHUNK_BYTES = 256 * 1024;

/** Reads one chunk ahead. Costs half of what `Readable.toWeb(createReadStream(…))` does. */
function streamOf(handle: import('node:fs').promises.FileHandle): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { buffer, bytesRead } = await handle.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES);
          if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead));
        } catch (error) {
          await handle.close();
          throw error;
        }
        await handle.close();
        controller.close();
      },
      // Waits for a read under way.
      cancel: () => handle.close(),
    },
    { highWaterMark: 1 },
  );
}

/** More files than this is a home directory, not an export. */
const FILES_IN_FOLDER = 10_000;

function folderAt(folder: string, name: string): ImportFile {
  return {
    name,
    open() {
      throw new McaError({
        code: 'file_parse_error',
        reason: 'is_a_folder',
        message: `${name} is a folder.`,
        position: { file: name },
      });
    },
    async list() {
      const { fs, path: paths } = nodeModules();
      const entries = await fs.promises.readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      if (files.length > FILES_IN_FOLDER) {
        throw new McaError({
          code: 'file_parse_error',
          reason: 'too_many_files',
          message: `${name} holds ${files.length} files.`,
          hint: 'Hand in the folder of one export.',
          position: { file: name },
        });
      }
      return files.map((entry) => {
        const path = paths.join(entry.parentPath, entry.name);
        return { ...fileAt(path), name: `${name}/${paths.relative(folder, path).replaceAll(paths.sep, '/')}` };
      });
    },
  };
}
